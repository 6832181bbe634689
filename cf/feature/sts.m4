divert(-1)
# `FEATURE(`sts', [map], [NO_SAN_TST])': policies of MTA-STS
_on_(`sts')
define(`_NEEDS_MACRO_')
define(`_NEEDS_TLS_')
ifelse(_ARG2_, `', `define(`_STS_SAN_')', _ARG2_, `NO_SAN_TST', `', `_error_(`FEATURE(sts): unknown argument '_ARG2_`; NO_SAN_TST')')
PUSHDIVERT(_D_OPTION_)dnl
# _FROM_(`FEATURE', `sts')
O StrictTransportSecurity=true
ifdef(`_STS_SAN_', `O SetCertAltnames=true
')dnl
POPDIVERT
PUSHDIVERT(_D_CONFIG_)dnl
# _FROM_(`FEATURE', `sts')
Ksts ifelse(_ARG_, `', `socket -d5 -T<TMPF> inet:5461@127.0.0.1', `_ARG_')
Kstsxsni regex -a: -s3 (.*)(servername=)(.*)
Kstsxsni2 regex -a: -s2 (.*)(servername=.*)
Kstsxmatch regex -a: -s2 (match=)(.*)
Kstsxnodaneflag regex -a@ -s3 (.*)(flags=)([^;]*d)(.*)
POPDIVERT
