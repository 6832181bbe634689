divert(-1)
# no name service: hosts are looked up in files only
define(`confSERVICE_SWITCH_FILE', `MAIL_SETTINGS_DIR`'service.switch-nodns')
define(`confDONT_PROBE_INTERFACES', `True')
FEATURE(`nocanonify')
