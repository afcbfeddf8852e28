"""The invigilator's page: what a show is and does, told to browsers, and what they ask for in return.

`content` and `bulletin` make what is told, `live` decides who is told what and when; none of them knows a socket.
`sockets` carries it, `assets` serves the files, `guest` opens the door. What browsers ask for is lines of the one table
of methods, obeyed by the `hub` like those of any desk.
"""
