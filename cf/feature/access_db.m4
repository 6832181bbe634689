divert(-1)
# `FEATURE(`access_db', [map], [skip | lookupdotdomain | relaytofulladdress]...)': a table that says who may do what
# The map must tell temporary failures apart, by -T<TMPF>.
_on_(`access_db')
define(`_NEEDS_MACRO_')
define(`_NEEDS_TLS_')
define(`_ACCESS_SPEC_', defn(`_ARG_'))
ifelse(_ARG_, `', `define(`_ACCESS_SPEC_', `DATABASE_MAP_TYPE -T<TMPF> MAIL_SETTINGS_DIR`'access')',
	_ARG_, `LDAP', `define(`_ACCESS_SPEC_', `ldap -T<TMPF> _LDAP_ARGS_(`access')')',
	`ifelse(substr(_ARG_, 0, 9), `sequence ', `', index(_ARG_, `-T<TMPF>'), -1,
		`_warn_(`FEATURE(access_db): the map has no -T<TMPF>; it is put in')
		define(`_ACCESS_SPEC_', substr(_ARG_, 0, index(_ARG_, ` '))` -T<TMPF>'substr(_ARG_, index(_ARG_, ` ')))')')
PUSHDIVERT(_D_CONFIG_)dnl
# _FROM_(`FEATURE', `access_db')
Kaccess _ACCESS_SPEC_
POPDIVERT
define(`_access_word_', `ifelse(`$1', `', `', `$1', `skip', `define(`_ACCESS_SKIP_')', `$1', `lookupdotdomain', `_on_(`lookupdotdomain')', `$1', `relaytofulladdress', `define(`_ACCESS_FULL_')', `_error_(`FEATURE(access_db): unknown argument $1'_hint_(`$1', `,skip,lookupdotdomain,relaytofulladdress,'))')')
_access_word_(_ARG2_)
_access_word_(_ARG3_)
_access_word_(_ARG4_)
