divert(-1)
# a name that a certificate must have may be one of its alternative names
_on_(`check_cert_altnames')
PUSHDIVERT(_D_OPTION_)dnl
O SetCertAltnames=true
POPDIVERT
