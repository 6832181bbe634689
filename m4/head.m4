
##### Level of this file #####

V`'CF_LEVEL`'ifdef(`NO_VENDOR', `', `/ifdef(`VENDOR_NAME', `VENDOR_NAME', `Berkeley')')

# File safety checks that are turned off. It stands before the first line that names a file, since it counts from here on.
ifdef(`confDONT_BLAME_SENDMAIL', `O DontBlameSendmail=confDONT_BLAME_SENDMAIL', `#O DontBlameSendmail=safe')

##### What it was made from #####

undivert(_D_INDEX_)dnl

##### This host #####

# names that mean this host, besides those found out at start
Cwlocalhost
ifdef(`_F_use_cw_file_', `# _FROM_(`FEATURE', `use_cw_file')
Fw`'confCW_FILE
')dnl

# its full name; found out at start unless it stands here
ifdef(`confDOMAIN_NAME', `Dj`'confDOMAIN_NAME', `#Dj$w.example.com')
ifdef(`confLDAP_CLUSTER', `
# cluster in the directory that this host belongs to
D{sendmailMTACluster}confLDAP_CLUSTER
')dnl

# last labels that no name server knows
CP.
ifdef(`_F_redirect_', `CPREDIRECT
')dnl

##### Hosts that take mail #####

ifdef(`UUCP_RELAY', `# `UUCP_RELAY': addresses of UUCP
DY`'UUCP_RELAY
CPUUCP
')dnl
ifdef(`BITNET_RELAY', `# `BITNET_RELAY': addresses of BITNET
DB`'BITNET_RELAY
CPBITNET
')dnl
ifdef(`DECNET_RELAY', `# `DECNET_RELAY': addresses of DECnet
DC`'DECNET_RELAY
CPDECNET
')dnl
ifdef(`FAX_RELAY', `# `FAX_RELAY': addresses of FAX
DF`'FAX_RELAY
CPFAX
')dnl
# `SMART_HOST': takes everything that is not for this host
DS`'ifdef(`SMART_HOST', `SMART_HOST')
ifdef(`LOCAL_RELAY', `# `LOCAL_RELAY': takes names without a domain
DR`'LOCAL_RELAY
')dnl
ifdef(`MAIL_HUB', `# `MAIL_HUB': takes what is for this host
DH`'MAIL_HUB
')dnl
ifdef(`LUSER_RELAY', `# `LUSER_RELAY': takes what is for users that this host does not know
DL`'LUSER_RELAY
Kuser user -m -a<>
')dnl
ifdef(`MASQUERADE_NAME', `# `MASQUERADE_AS': stands in place of the name of this host
DM`'MASQUERADE_NAME
')dnl

# sender of reports
Dn`'confMAILER_NAME

##### Characters, words and maps that rules use #####

# operators that make a name a path to somewhere else
CO @ ifdef(`_F_nopercenthack_', `', `% ')ifdef(`_F_nouucp_', `', `!')
# a dot, and the begin of a literal address, as classes, so that rules can say "none of it"
C..
C[[
ifdef(`_F_access_db_', `# values of the access map that accept
C{Accept}OK RELAY
')dnl
ifdef(`_SPAM_TAGS_', `C{SpamTag}SPAMFRIEND SPAMHATER
')dnl
ifdef(`_F_accept_unresolvable_domains_', `', `# a host of this name exists
Kresolve host -a<OKR> -T<TEMP>
')dnl
C{ResOk}OKR
ifdef(`confCR_FILE', `# domains that may relay
FR`'confCR_FILE
')dnl
Karith arith
ifdef(`_NEEDS_MACRO_', `Kmacro macro
')dnl
ifdef(`_NEEDS_TLS_', `# words of the access map about TLS, and good values of ${verify}
C{Tls}VERIFY ENCR
C{TlsVerified}OK TRUSTED
')dnl
ifdef(`_CERT_REGEX_ISSUER_', `KCERTIssuer regex _CERT_REGEX_ISSUER_
')dnl
ifdef(`_CERT_REGEX_SUBJECT_', `KCERTSubject regex _CERT_REGEX_SUBJECT_
')dnl
Kdequote dequote`'ifdef(`confDEQUOTE_OPTS', ` confDEQUOTE_OPTS')
undivert(_D_CLASS_)dnl
ifdef(`_CLASS_VirtHost_', `# relaying is allowed to the domains of virtual users
CR$={VirtHost}
')dnl
undivert(_D_CONFIG_)dnl

# version of this file
DZ`'_CF_VERSION_`'ifdef(`confCF_VERSION', `/confCF_VERSION')
