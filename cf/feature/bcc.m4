divert(-1)
# `FEATURE(`bcc', [map | access], [host], [address], [map to canonify])': copies of mail
_on_(`bcc')
ifelse(_ARG_, `access', `define(`_BCC_ACCESS_')_needs_(`bcc', `access_db')', `PUSHDIVERT(_D_CONFIG_)dnl
# _FROM_(`FEATURE', `bcc')
Kbcctable ifelse(_ARG_, `', `DATABASE_MAP_TYPE MAIL_SETTINGS_DIR`'bcctable', `_ARG_')
POPDIVERT')
ifelse(_ARG2_, `', `', `PUSHDIVERT(_D_CLASS_)DA`'_ARG2_
POPDIVERT')
ifelse(_ARG4_, `', `', `define(`_BCC_CANONICAL_')PUSHDIVERT(_D_CONFIG_)dnl
KcanonicalRcpt _ARG4_
C{SMTPOpModes}s d D
POPDIVERT')
define(`_BCC_RESULT_', _ARG3_)
PUSHDIVERT(_D_OPTION_)dnl
# _FROM_(`FEATURE', `bcc')
O AddBcc=true
POPDIVERT
