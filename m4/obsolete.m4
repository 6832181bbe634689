divert(-1)
# Defines of earlier releases: what became of them.
ifdef(`confAUTO_REBUILD', `_warn_(`confAUTO_REBUILD is no longer valid: databases of aliases are made by newaliases only')')
ifdef(`confDAEMON_OPTIONS', `_warn_(`confDAEMON_OPTIONS is no longer valid; use DAEMON_OPTIONS()')DAEMON_OPTIONS(confDAEMON_OPTIONS)')
ifdef(`confCLIENT_OPTIONS', `_warn_(`confCLIENT_OPTIONS is no longer valid; use CLIENT_OPTIONS()')CLIENT_OPTIONS(confCLIENT_OPTIONS)')
ifdef(`confUNSAFE_GROUP_WRITES', `_warn_(`confUNSAFE_GROUP_WRITES is deprecated; use confDONT_BLAME_SENDMAIL')')
ifdef(`confDEF_GROUP_ID', `_error_(`confDEF_GROUP_ID is obsolete; use confDEF_USER_ID with user:group')')
ifdef(`confREAD_TIMEOUT', `_error_(`confREAD_TIMEOUT is obsolete; use the confTO_ defines')')
ifdef(`confMESSAGE_TIMEOUT', `define(`_slash_', index(confMESSAGE_TIMEOUT, `/'))ifelse(_slash_, -1, `define(`confTO_QUEUERETURN', confMESSAGE_TIMEOUT)', `define(`confTO_QUEUERETURN', substr(confMESSAGE_TIMEOUT, 0, _slash_))define(`confTO_QUEUEWARN', substr(confMESSAGE_TIMEOUT, incr(_slash_)))')')
