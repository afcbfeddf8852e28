"""People, desks and sensors to commands; state to feedback."""
