"""DMX over the network, in: E1.31 (sACN) and Art-Net to commands.

Both receivers are our own because a desk must neither make the picture flicker nor end the thread. `sacn` 1.11 keeps
one sequence for all sources of a universe, merges nothing, passes start code 0xDD and previews on as levels, listens on
every interface, and its thread ends at a source name that is not UTF-8. `aioartnet` 0.2.1 merges nothing, looks at no
sequence, listens on every interface, keeps every universe and sender it ever heard, and raises struct.error on a short
packet. Neither lets an allow-list look first.
"""
