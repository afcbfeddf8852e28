"""OSCQuery: programs find the show, ask what it has, and listen to it. A guest of the control thread."""
