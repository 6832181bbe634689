divert(-1)
# Options about filters (milters), as the table in options.m4; written when a filter is declared.
divert(0)dnl
_option_(`Milter.LogLevel', `confMILTER_LOG_LEVEL', `ask', `', `Log level for filter actions.')dnl
_option_(`Milter.macros.connect', `confMILTER_MACROS_CONNECT', `set', `j, _, {daemon_name}, {if_name}, {if_addr}', `Macros that filters are told at connect.')dnl
_option_(`Milter.macros.data', `confMILTER_MACROS_DATA', `ask', `', `Macros that filters are told at DATA.')dnl
_option_(`Milter.macros.envfrom', `confMILTER_MACROS_ENVFROM', `set', `i, {auth_type}, {auth_authen}, {auth_ssf}, {auth_author}, {mail_mailer}, {mail_host}, {mail_addr}', `Macros that filters are told at MAIL.')dnl
_option_(`Milter.macros.envrcpt', `confMILTER_MACROS_ENVRCPT', `set', `{rcpt_mailer}, {rcpt_host}, {rcpt_addr}', `Macros that filters are told at RCPT.')dnl
_option_(`Milter.macros.eoh', `confMILTER_MACROS_EOH', `ask', `', `Macros that filters are told at the end of the header.')dnl
_option_(`Milter.macros.eom', `confMILTER_MACROS_EOM', `set', `{msg_id}', `Macros that filters are told at the end of the message.')dnl
_option_(`Milter.macros.helo', `confMILTER_MACROS_HELO', `set', `{tls_version}, {cipher}, {cipher_bits}, {cert_subject}, {cert_issuer}', `Macros that filters are told at HELO.')dnl
