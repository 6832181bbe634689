divert(-1)
# Debian: the account sendmail is trusted, passwords for other servers are in a file
define(`confDEF_AUTH_INFO', `MAIL_SETTINGS_DIR`'default-auth-info')
define(`confTRUSTED_USERS', ifdef(`confTRUSTED_USERS', `confTRUSTED_USERS ')`sendmail')
