divert(-1)
# What an .mc file may say.

# ---- small words that older files use themselves
define(`PUSHDIVERT', `pushdef(`_BACK_', divnum)divert($1)')
define(`POPDIVERT', `divert(_BACK_)popdef(`_BACK_')')
define(`CONCAT', `$1$2$3$4$5$6$7$8$9')
define(`DOL', ``$'$1')
define(`lower', `translit(`$1', `ABCDEFGHIJKLMNOPQRSTUVWXYZ', `abcdefghijklmnopqrstuvwxyz')')
define(`strcasecmp', `ifelse(lower(`$1'), lower(`$2'), `1', `0')')

# ---- where text waits until the file is put together
define(`_D_NET_', 1)		# LOCAL_NET_CONFIG
define(`_D_RULE3_', 2)		# LOCAL_RULE_3
define(`_D_RULE0_', 3)		# LOCAL_RULE_0
define(`_D_UUCP_', 4)		# LOCAL_UUCP
define(`_D_CLASS_', 5)		# classes and macros that words of the .mc fill
define(`_D_CONFIG_', 6)		# LOCAL_CONFIG, maps of features
define(`_D_MAILER_', 7)		# MAILER_DEFINITIONS, mailers and their rulesets
define(`_D_DNSBL_', 8)		# LOCAL_DNSBL
define(`_D_SETS_', 9)		# LOCAL_RULESETS
define(`_D_INDEX_', 10)		# list of what the .mc said
define(`_D_DAEMON_', 11)	# DAEMON_OPTIONS
define(`_D_CLIENT_', 12)	# CLIENT_OPTIONS
define(`_D_QUEUE_', 13)		# QUEUE_GROUP
define(`_D_FILTER_', 14)	# MAIL_FILTER
define(`_D_OPTION_', 15)	# option lines of features
define(`_D_BMX_', 16)		# rules of bestmx_is_local and the like, in front of LOCAL_NET_CONFIG
define(`_D_RELAY_', 17)		# rules of features in Relay_ok
define(`_D_PARSE0_', 18)	# rules of features in Parse0
define(`_D_RCPT_', 20)		# rules of features in Rcpt_ok
define(`_D_DMAP_', 22)		# tables of domainmap
define(`_D_PARSE1_', 19)	# rules of features in Parse1, in front of virtual users

# _note_(word, argument): keeps the place for the list at the top of the file and for _FROM_
define(`_note_', `PUSHDIVERT(_D_INDEX_)#	_HERE_`	$1($2)'
POPDIVERT`'define(`_from_$1_$2_', _HERE_)')
# _FROM_(word, argument): text for comments, the .mc line that asked for what follows
define(`_FROM_', ``$1($2)'ifdef(`_from_$1_$2_', `` at 'defn(`_from_$1_$2_')')')

# _read_(kind, name): reads a file of the library, or one that the site put beside them
define(`_read_', `ifelse(index(defn(`_names_$1_'), `,$2,'), -1, `_read_site_(`$1', `$2')', `include(_LIB_`$1/$2.m4')')')
define(`_read_site_', `syscmd(`test -r "'_LIB_`$1/$2.m4"')ifelse(sysval, 0, `include(_LIB_`$1/$2.m4')', `_fail_(_word_of_(`$1')`($2): there is no file '_LIB_`$1/$2.m4'_hint_(`$2', defn(`_names_$1_')))')')
define(`_word_of_', `ifelse(`$1', `feature', `FEATURE', `$1', `mailer', `MAILER', `$1', `ostype', `OSTYPE', `$1', `domain', `DOMAIN', `$1', `hack', `HACK', `$1')')

# _call_(word, kind, name, args...): records the line, keeps the arguments, reads the file, lets its text go
define(`_call_', `_note_(`$1', `$3')PUSHDIVERT(-1)ifdef(`_PLACE_', `pushdef(`_PLACE_', _PLACE_)', `pushdef(`_PLACE_', _HERE_)')pushdef(`_ARG_', `$4')pushdef(`_ARG2_', `$5')pushdef(`_ARG3_', `$6')pushdef(`_ARG4_', `$7')pushdef(`_ARG5_', `$8')pushdef(`_ARG6_', `$9')_call_more_(shift(shift(shift(shift(shift(shift(shift(shift(shift($@))))))))))_read_(`$2', `$3')divert(-1)popdef(`_ARG_')popdef(`_ARG2_')popdef(`_ARG3_')popdef(`_ARG4_')popdef(`_ARG5_')popdef(`_ARG6_')popdef(`_ARG7_')popdef(`_ARG8_')popdef(`_ARG9_')popdef(`_PLACE_')POPDIVERT`'')
define(`_call_more_', `pushdef(`_ARG7_', `$1')pushdef(`_ARG8_', `$2')pushdef(`_ARG9_', `$3')')

define(`VERSIONID', `ifelse($#, 0, ``VERSIONID'', `PUSHDIVERT(_D_INDEX_)#	_AT_`	$1'
`'POPDIVERT`'')')
define(`OSTYPE', `ifelse($#, 0, ``OSTYPE'', `ifdef(`_OSTYPE_', `_error_(`OSTYPE($1): a second one, after OSTYPE('_OSTYPE_`)')')define(`_OSTYPE_', `$1')_call_(`OSTYPE', `ostype', $@)')')
define(`DOMAIN', `ifelse($#, 0, ``DOMAIN'', `_call_(`DOMAIN', `domain', $@)')')
define(`HACK', `ifelse($#, 0, ``HACK'', `_call_(`HACK', `hack', $@)')')
define(`FEATURE', `ifelse($#, 0, ``FEATURE'', `ifdef(`_MAILERS_', `_error_(`FEATURE($1) should stand before the first MAILER('_MAILERS_`)')')_call_(`FEATURE', `feature', $@)')')
define(`MAILER', `ifelse($#, 0, ``MAILER'', `ifdef(`_MAILER_$1_', `_error_(`MAILER($1) is there already')', `define(`_MAILER_$1_')ifdef(`_MAILERS_', `', `define(`_MAILERS_', `$1')')_call_(`MAILER', `mailer', $@)')')')

# SITECONFIG: file, name, letter: macro letter, and the class of the same letter from a file of SITE lines
define(`SITECONFIG', `ifelse($#, 0, ``SITECONFIG'', `_note_(`SITECONFIG', `$1')PUSHDIVERT(_D_CLASS_)D$3$2
define(`_SITE_$3_')ifelse(`$3', `U', `C{w}$2 $2.UUCP
')pushdef(`_SITE_CLASS_', `$3')sinclude(_LIB_`siteconfig/$1.m4')popdef(`_SITE_CLASS_')POPDIVERT`'')')
define(`SITE', `ifelse($#, 0, ``SITE'', `ifelse(_SITE_CLASS_`$2', `US', `CY$1', `C'_SITE_CLASS_`$1')')')
define(`UUCPSMTP', `R DOL(*) < @ $1 .UUCP > DOL(*)	DOL(1) < @ $2 > DOL(2)')

# A word that needs arguments stands for itself without them: MAILER-DAEMON is a name.

# ---- sections: what follows is text of the configuration file
define(`LOCAL_CONFIG', `divert(_D_CONFIG_)')
define(`LOCAL_NET_CONFIG', `define(`_LOCAL_NET_')divert(_D_NET_)')
define(`LOCAL_UUCP', `divert(_D_UUCP_)')
define(`LOCAL_DNSBL', `divert(_D_DNSBL_)')
define(`LOCAL_RULE_0', `divert(_D_RULE0_)')
define(`LOCAL_RULE_1', `divert(_D_SETS_)
# every sender address
Ssender=1
')
define(`LOCAL_RULE_2', `divert(_D_SETS_)
# every recipient address
Srecipient=2
')
define(`LOCAL_RULE_3', `divert(_D_RULE3_)')
define(`LOCAL_RULESETS', `divert(_D_SETS_)
')
define(`MAILER_DEFINITIONS', `divert(_D_MAILER_)')

# _local_set_(word): a ruleset of the site that the standard one asks first
define(`_local_set_', `ifdef(`_MAILERS_', `', `_warn_(`LOCAL_'translit(`$1', `abcdefghijklmnopqrstuvwxyz', `ABCDEFGHIJKLMNOPQRSTUVWXYZ')` should stand after MAILER')')define(`_LOCAL_$1_')divert(_D_SETS_)
SLocal_$1')
define(`LOCAL_SRV_FEATURES', `_local_set_(`srv_features')')
define(`LOCAL_CLT_FEATURES', `_local_set_(`clt_features')')
define(`LOCAL_TRY_TLS', `_local_set_(`try_tls')')
define(`LOCAL_TLS_RCPT', `_local_set_(`tls_rcpt')')
define(`LOCAL_TLS_CLIENT', `_local_set_(`tls_client')')
define(`LOCAL_TLS_SERVER', `_local_set_(`tls_server')')

# ---- classes and macros
# _class_(class, members) and _class_file_(class, file)
define(`_class_', `PUSHDIVERT(_D_CLASS_)C{$1}$2
POPDIVERT`'define(`_CLASS_$1_')')
define(`_class_file_', `PUSHDIVERT(_D_CLASS_)F{$1}$2
POPDIVERT`'define(`_CLASS_$1_')')
define(`MASQUERADE_AS', `ifelse($#, 0, ``MASQUERADE_AS'', `define(`MASQUERADE_NAME', `$1')')')
define(`MASQUERADE_DOMAIN', `ifelse($#, 0, ``MASQUERADE_DOMAIN'', `_class_(`M', `$1')')')
define(`MASQUERADE_DOMAIN_FILE', `ifelse($#, 0, ``MASQUERADE_DOMAIN_FILE'', `_class_file_(`M', `$1')')')
define(`MASQUERADE_EXCEPTION', `ifelse($#, 0, ``MASQUERADE_EXCEPTION'', `_class_(`N', `$1')')')
define(`MASQUERADE_EXCEPTION_FILE', `ifelse($#, 0, ``MASQUERADE_EXCEPTION_FILE'', `_class_file_(`N', `$1')')')
define(`EXPOSED_USER', `ifelse($#, 0, ``EXPOSED_USER'', `_class_(`E', `$1')')')
define(`EXPOSED_USER_FILE', `ifelse($#, 0, ``EXPOSED_USER_FILE'', `_class_file_(`E', `$1')')')
define(`LOCAL_USER', `ifelse($#, 0, ``LOCAL_USER'', `_class_(`L', `$1')')')
define(`LOCAL_USER_FILE', `ifelse($#, 0, ``LOCAL_USER_FILE'', `_class_file_(`L', `$1')')')
define(`LOCAL_DOMAIN', `ifelse($#, 0, ``LOCAL_DOMAIN'', `_class_(`w', `$1')')')
define(`CANONIFY_DOMAIN', `ifelse($#, 0, ``CANONIFY_DOMAIN'', `_class_(`Canonify', `$1')')')
define(`CANONIFY_DOMAIN_FILE', `ifelse($#, 0, ``CANONIFY_DOMAIN_FILE'', `_class_file_(`Canonify', `$1')')')
define(`GENERICS_DOMAIN', `ifelse($#, 0, ``GENERICS_DOMAIN'', `_class_(`G', `$1')')')
define(`GENERICS_DOMAIN_FILE', `ifelse($#, 0, ``GENERICS_DOMAIN_FILE'', `_class_file_(`G', `$1')')')
define(`LDAPROUTE_DOMAIN', `ifelse($#, 0, ``LDAPROUTE_DOMAIN'', `_class_(`LDAPRoute', `$1')')')
define(`LDAPROUTE_DOMAIN_FILE', `ifelse($#, 0, ``LDAPROUTE_DOMAIN_FILE'', `_class_file_(`LDAPRoute', `$1')')')
define(`LDAPROUTE_EQUIVALENT', `ifelse($#, 0, ``LDAPROUTE_EQUIVALENT'', `_class_(`LDAPRouteEquiv', `$1')')')
define(`LDAPROUTE_EQUIVALENT_FILE', `ifelse($#, 0, ``LDAPROUTE_EQUIVALENT_FILE'', `_class_file_(`LDAPRouteEquiv', `$1')')')
define(`VIRTUSER_DOMAIN', `ifelse($#, 0, ``VIRTUSER_DOMAIN'', `_class_(`VirtHost', `$1')')')
define(`VIRTUSER_DOMAIN_FILE', `ifelse($#, 0, ``VIRTUSER_DOMAIN_FILE'', `_class_file_(`VirtHost', `$1')')')
define(`RELAY_DOMAIN', `ifelse($#, 0, ``RELAY_DOMAIN'', `_class_(`R', `$1')')')
define(`RELAY_DOMAIN_FILE', `ifelse($#, 0, ``RELAY_DOMAIN_FILE'', `_class_file_(`R', `$1')')')
define(`TRUST_AUTH_MECH', `ifelse($#, 0, ``TRUST_AUTH_MECH'', `_class_(`TrustAuthMech', `$1')')')

# ---- lines of their own
define(`DAEMON_OPTIONS', `ifelse($#, 0, ``DAEMON_OPTIONS'', `define(`_DAEMONS_')PUSHDIVERT(_D_DAEMON_)O DaemonPortOptions=$1
POPDIVERT`'')')
define(`CLIENT_OPTIONS', `ifelse($#, 0, ``CLIENT_OPTIONS'', `define(`_CLIENTS_')PUSHDIVERT(_D_CLIENT_)O ClientPortOptions=$1
POPDIVERT`'')')
define(`QUEUE_GROUP', `ifelse($#, 0, ``QUEUE_GROUP'', `PUSHDIVERT(_D_QUEUE_)Q$1, $2
POPDIVERT`'')')
define(`MAIL_FILTER', `ifelse($#, 0, ``MAIL_FILTER'', `define(`_FILTERS_')PUSHDIVERT(_D_FILTER_)X$1, $2
POPDIVERT`'')')
define(`INPUT_MAIL_FILTER', `ifelse($#, 0, ``INPUT_MAIL_FILTER'', `MAIL_FILTER(`$1', `$2')define(`confINPUT_MAIL_FILTERS', ifdef(`confINPUT_MAIL_FILTERS', `defn(`confINPUT_MAIL_FILTERS')`, '')`$1')')')

# ---- flags of mailers
# MODIFY_MAILER_FLAGS: prefix, then +x, -x or x
define(`MODIFY_MAILER_FLAGS', `ifelse($#, 0, ``MODIFY_MAILER_FLAGS'', `ifelse(index(defn(`_flag_prefixes_'), `,$1,'), -1, `_error_(`MODIFY_MAILER_FLAGS($1): no mailer has this prefix'_hint_(`$1', defn(`_flag_prefixes_')))')_flags_by_(`$1', substr(`$2', 0, 1), substr(`$2', 1), `$2')')')
define(`_flags_by_', `ifelse(`$2', `+', `define(`_$1_PLUS_', ifdef(`_$1_PLUS_', `defn(`_$1_PLUS_')')`$3')', `$2', `-', `define(`_$1_LESS_', ifdef(`_$1_LESS_', `defn(`_$1_LESS_')')`$3')', `define(`_$1_EXACT_', `$4')')')
# _flags_(prefix, flags from the start): what the above made of them
define(`_flags_', `translit(ifdef(`_$1_EXACT_', `_$1_EXACT_', `$2'), ifdef(`_$1_LESS_', `_$1_LESS_'))`'ifdef(`_$1_PLUS_', `translit(_$1_PLUS_, ifdef(`_$1_EXACT_', `_$1_EXACT_', `$2'))')')

# ---- for files of features
# _map_(name, spec, file, LDAP name): the line of a map; spec is what the .mc gave, or nothing, or LDAP
define(`_LDAP_ARGS_', `-1 -v sendmailMTAMapValue,sendmailMTAMapSearch:FILTER:sendmailMTAMapObject,sendmailMTAMapURL:URL:sendmailMTAMapObject -k (&(objectClass=sendmailMTAMapObject)(|(sendmailMTACluster=${sendmailMTACluster})(sendmailMTAHost=DOL(j)))(sendmailMTAMapName=$1)(sendmailMTAKey=%0))')
define(`_LDAP_MAP_', `ldap _LDAP_ARGS_(`$1')')
define(`_map_', `PUSHDIVERT(_D_CONFIG_)K$1 ifelse(`$2', `', `DATABASE_MAP_TYPE MAIL_SETTINGS_DIR`$3'', `$2', `LDAP', `_LDAP_MAP_(`$4')', `$2')
POPDIVERT`'')
# _host_part_([mailer:]host): without the mailer
define(`_host_part_', `substr(`$1', incr(index(`$1', `:')))')
# _needs_(feature, other): an error when the other feature was not asked for before
define(`_needs_', `ifdef(`_F_$2_', `', `_error_(`FEATURE($1) requires FEATURE($2) before it')')')
define(`_on_', `define(`_F_$1_')')
divert(0)dnl
