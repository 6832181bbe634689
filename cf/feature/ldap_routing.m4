divert(-1)
# `FEATURE(`ldap_routing', [host map], [address map], [passthru | sendertoo | bounce], [strip | preserve], [nodomain], [tempfail | queue])': hosts and addresses of users from a directory
_on_(`ldap_routing')
ifelse(len(_ARG_`'_ARG2_), 0, `ifdef(`confLDAP_DEFAULT_SPEC', `', `_warn_(`FEATURE(ldap_routing) with the maps of its own needs confLDAP_DEFAULT_SPEC')')')
PUSHDIVERT(_D_CLASS_)dnl
C{SMTPOpModes}s d D
POPDIVERT
PUSHDIVERT(_D_CONFIG_)dnl
# _FROM_(`FEATURE', `ldap_routing')
Kldapmh ifelse(_ARG_, `', `ldap -1 -T<TMPF> -v mailHost -k (&(objectClass=inetLocalMailRecipient)(mailLocalAddress=%0))', `_ARG_')
Kldapmra ifelse(_ARG2_, `', `ldap -1 -T<TMPF> -v mailRoutingAddress -k (&(objectClass=inetLocalMailRecipient)(mailLocalAddress=%0))', `_ARG2_')
POPDIVERT
ifelse(_ARG3_, `', `', _ARG3_, `passthru', `', _ARG3_, `sendertoo', `define(`_LDAP_BOUNCE_')define(`_LDAP_SENDER_TOO_')', `define(`_LDAP_BOUNCE_')')
ifelse(_ARG4_, `strip', `define(`_LDAP_STRIP_')', _ARG4_, `preserve', `define(`_LDAP_STRIP_')define(`_LDAP_PRESERVE_')')
ifelse(_ARG5_, `', `', `define(`_LDAP_NODOMAIN_')')
ifelse(_ARG6_, `tempfail', `define(`_LDAP_TEMPFAIL_')')
