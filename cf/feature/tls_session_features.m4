divert(-1)
# the access map sets options of TLS sessions
_on_(`tls_session_features')
