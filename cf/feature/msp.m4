divert(-1)
# `FEATURE(`msp', [host], [MSA | other])': the configuration of the submission program
_on_(`msp')
define(`_MTA_HOST_', ifelse(_ARG_, `', ``[localhost]'', `_ARG_'))
ifelse(_ARG2_, `MSA', `define(`RELAY_MAILER_ARGS', `TCP $h 587')')
undefine(`ALIAS_FILE')
ifdef(`MSP_QUEUE_DIR', `', `define(`MSP_QUEUE_DIR', `/var/spool/clientmqueue')')
define(`QUEUE_DIR', MSP_QUEUE_DIR)
ifdef(`STATUS_FILE', `ifelse(index(STATUS_FILE, `sendmail.st'), -1, `', `define(`STATUS_FILE', substr(STATUS_FILE, 0, index(STATUS_FILE, `sendmail.st'))`sm-client.st'substr(STATUS_FILE, eval(index(STATUS_FILE, `sendmail.st') + 11)))')', `define(`STATUS_FILE', QUEUE_DIR`/sm-client.st')')
define(`_msp_default_', `ifdef(`$1', `', `define(`$1', `$2')')')
define(`confFORWARD_PATH', `')
define(`confPRIVACY_FLAGS', `goaway,noetrn,restrictqrun')
define(`confDELIVERY_MODE', `i')
define(`confUSE_MSP', `True')
define(`confDONT_PROBE_INTERFACES', `True')
_msp_default_(`confQUEUE_FILE_MODE', `0660')
_msp_default_(`confRUN_AS_USER', `smmsp')
_msp_default_(`confTRUSTED_USER', ifdef(`confRUN_AS_USER', `confRUN_AS_USER', `smmsp'))
_msp_default_(`confPID_FILE', QUEUE_DIR`/sm-client.pid')
ifdef(`_DAEMONS_', `', `DAEMON_OPTIONS(`Name=NoMTA, Addr=127.0.0.1, M=E')')
define(`SMTP_MAILER_FLAGS', `k5')
define(`RELAY_MAILER_FLAGS', `k')
define(`LOCAL_MAILER_PATH', `[IPC]')
define(`_DEF_LOCAL_MAILER_FLAGS', `')
define(`LOCAL_MAILER_FLAGS', `lmDFMuXkw5')
define(`LOCAL_MAILER_ARGS', `TCP $h')
define(`LOCAL_MAILER_DSN_DIAGNOSTIC_CODE', `SMTP')
define(`LOCAL_SHELL_PATH', `[IPC]')
define(`_DEF_LOCAL_SHELL_FLAGS', `')
define(`LOCAL_SHELL_FLAGS', `lmDFMuXk5')
define(`LOCAL_SHELL_ARGS', `TCP $h')
FEATURE(`no_default_msa')
MAILER(`local')
MAILER(`smtp')
PUSHDIVERT(_D_CLASS_)dnl
# where all mail goes
D{MTAHost}_MTA_HOST_
POPDIVERT
PUSHDIVERT(_D_SETS_)dnl
# _FROM_(`FEATURE', `msp'): local names go to the mail host as well
SLocal_localaddr
R$+			$: $>ParseRecipient $1
R$* <@ $+ > $*		$# relay $@ ${MTAHost} $: $1 <@ $2 > $3
R$+			$# relay $@ ${MTAHost} $: $1 <@ $j >
POPDIVERT
