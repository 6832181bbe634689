divert(-1)
# `FEATURE(`relay_mail_from', [domain])': senders that the access map names may relay
_on_(`relay_mail_from')
_needs_(`relay_mail_from', `access_db')
_warn_(`FEATURE(relay_mail_from) lets everybody relay who lies about the sender; use SMTP AUTH or STARTTLS')
ifelse(_ARG_, `domain', `define(`_RELAY_FROM_DOMAIN_')')
