divert(-1)
# Mailer xagent

ifdef(`XAGENT_MAILER_PATH', `', `define(`XAGENT_MAILER_PATH', `/usr/lib/xagent')')
ifdef(`XAGENT_MAILER_FLAGS', `', `define(`XAGENT_MAILER_FLAGS', `DFMueXLn')')
ifdef(`XAGENT_MAILER_ARGS', `', `define(`XAGENT_MAILER_ARGS', `xagent $h $u')')

divert(_D_MAILER_)
#####
##### Agents; rulesets 11, 21 and 31 are for `LOCAL_RULESETS'
#####

Mxagent,	P=XAGENT_MAILER_PATH, F=_flags_(`XAGENT', XAGENT_MAILER_FLAGS), S=11/31, R=21/31, E=\n,
		T=DNS/RFC822/X-Unix,
		A=XAGENT_MAILER_ARGS
divert(-1)
