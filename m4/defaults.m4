divert(-1)
# Values that hold unless the .mc says otherwise.

define(`_group_')
define(`_option_', `ifelse(`$3', `set', `define(`$2', `$4')')')
include(_CF_DIR_`m4/options.m4')
divert(-1)
include(_CF_DIR_`m4/filters.m4')
divert(-1)

# ---- files
define(`MAIL_SETTINGS_DIR', `/etc/mail/')
define(`ALIAS_FILE', `MAIL_SETTINGS_DIR`'aliases')
define(`HELP_FILE', `MAIL_SETTINGS_DIR`'helpfile')
define(`DATABASE_MAP_TYPE', `hash')
define(`confEBINDIR', `/usr/libexec')
define(`confCW_FILE', `MAIL_SETTINGS_DIR`'local-host-names')
define(`confCT_FILE', `MAIL_SETTINGS_DIR`'trusted-users')
define(`confCR_FILE', `-o MAIL_SETTINGS_DIR`'relay-domains')

# ---- the configuration itself
define(`CF_LEVEL', `10')
define(`confMAILER_NAME', `MAILER-DAEMON')
define(`confTIME_ZONE', `USE_SYSTEM')
define(`confLOCAL_MAILER', `local')
define(`confSMTP_MAILER', `esmtp')
define(`confUUCP_MAILER', `uucp-old')

# ---- headers
define(`confFROM_HEADER', `$?x$x <$g>$|$g$.')
define(`confMESSAGEID_HEADER', `<$t.$i@$j>')
define(`_REC_HDR_', `$?sfrom $s $.$?_($?s$|from $.$_)')
define(`_REC_AUTH_', `$.$?{auth_type}(authenticated')
define(`_REC_FULL_AUTH_', `$.$?{auth_type}(user=${auth_authen} $?{auth_author}author=${auth_author} $.mech=${auth_type}')
define(`_REC_BY_', `$.by $j ($v/$Z)$?r with $r$. id $i$?{tls_version}')
define(`_REC_TLS_', `(version=${tls_version} cipher=${cipher} bits=${cipher_bits} verify=${verify})$.$?u')
define(`_REC_END_', `for $u; $|;
	$.$b')
define(`confRECEIVED_HEADER', `_REC_HDR_
	_REC_AUTH_$?{auth_ssf} bits=${auth_ssf}$.)
	_REC_BY_
	_REC_TLS_
	_REC_END_')

# ---- mailers
define(`_DEF_LOCAL_MAILER_FLAGS', `lsDFMAw5:/|@q')
define(`_DEF_LOCAL_SHELL_FLAGS', `lsDFMoq')
define(`_DEF_SMTP_MAILER_FLAGS', `mDFMuX')
define(`_flag_prefixes_', `,LOCAL,SHELL,SMTP,ESMTP,SMTP8,DSMTP,RELAY,UUCP,PROCMAIL,CYRUS,CYRUSBB,CYRUSV2,FAX,POP,PH,QPAGE,USENET,MAIL11,SSH,XAGENT,')
divert(0)dnl
