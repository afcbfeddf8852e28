"""Other devices' messages and sensors to our commands, by the show's map. Pure."""
