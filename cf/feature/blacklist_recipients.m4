divert(-1)
# old name
_warn_(`FEATURE(blacklist_recipients) is deprecated; use FEATURE(blocklist_recipients)')
FEATURE(`blocklist_recipients')
