divert(-1)
define(`_group_', `
# ---- $1
')
define(`_option_', `
# $5
ifdef(`$2', `O $1=$2', `#O $1=$4')
')
divert(0)dnl

##### Options #####

include(_CF_DIR_`m4/options.m4')dnl

# ---- Files

# Databases of aliases.
ifdef(`ALIAS_FILE', `O AliasFile=ALIAS_FILE', `#O AliasFile=MAIL_SETTINGS_DIR`'aliases')

# Text of HELP.
O HelpFile=ifdef(`HELP_FILE', `HELP_FILE')

# Where messages wait.
O QueueDirectory=QUEUE_DIR

# Counts of messages; the file must exist.
ifdef(`STATUS_FILE', `O StatusFile=STATUS_FILE', `#O StatusFile=/var/log/statistics')

# Time zone: a value, nothing for that of the caller, without the line that of the system.
ifelse(confTIME_ZONE, `USE_SYSTEM', `#O TimeZoneSpec=', confTIME_ZONE, `USE_TZ', `O TimeZoneSpec=', `O TimeZoneSpec=confTIME_ZONE')
ifdef(`confUNSAFE_GROUP_WRITES', `
# Deprecated, see DontBlameSendmail.
O UnsafeGroupWrites=confUNSAFE_GROUP_WRITES
')dnl

# ---- Where to listen, and from where to send

ifdef(`_DAEMONS_', `undivert(_D_DAEMON_)', `ifdef(`_NETINET6_', `O DaemonPortOptions=Name=MTA-v4, Family=inet
O DaemonPortOptions=Name=MTA-v6, Family=inet6
', `O DaemonPortOptions=Name=MTA
')')dnl
ifdef(`_F_no_default_msa_', `', `O DaemonPortOptions=Port=587, Name=MSA, M=E
')dnl
ifdef(`_CLIENTS_', `undivert(_D_CLIENT_)', `#O ClientPortOptions=Family=inet, Address=0.0.0.0
')dnl
undivert(_D_OPTION_)dnl

# ---- Filters

# Filters that every message of every port goes through, in this order.
ifdef(`confINPUT_MAIL_FILTERS', `O InputMailFilters=confINPUT_MAIL_FILTERS', `#O InputMailFilters=')
ifdef(`_FILTERS_', `include(_CF_DIR_`m4/filters.m4')')dnl

##### Groups of the queue #####

undivert(_D_QUEUE_)dnl

##### Precedence: field #####

Pfirst-class=0
Pspecial-delivery=100
Plist=-30
Pbulk=-60
Pjunk=-100

##### Users that may name another sender #####

ifdef(`_F_use_ct_file_', `# _FROM_(`FEATURE', `use_ct_file')
Ft`'confCT_FILE
')dnl
Troot
Tdaemon
ifdef(`_F_nouucp_', `', `Tuucp
')dnl
ifdef(`confTRUSTED_USERS', `T`'confTRUSTED_USERS
')dnl

##### Header fields #####

H?P?Return-Path: <$g>
HReceived: confRECEIVED_HEADER
H?D?Resent-Date: $a
H?D?Date: $a
H?F?Resent-From: confFROM_HEADER
H?F?From: confFROM_HEADER
H?x?Full-Name: $x
H?M?Resent-Message-Id: confMESSAGEID_HEADER
H?M?Message-Id: confMESSAGEID_HEADER
