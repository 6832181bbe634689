divert(-1)
# envelopes are masqueraded, too
_on_(`masquerade_envelope')
