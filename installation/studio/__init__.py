"""Footage to model. Needs torch; never imported while playing."""
