divert(-1)
# who says to be one of us may relay
_on_(`relay_local_from')
_warn_(`FEATURE(relay_local_from) lets everybody relay who lies about the sender; use SMTP AUTH or STARTTLS, or FEATURE(relay_mail_from)')
