divert(-1)
# Mailer ssh: SMTP over a command on the other host

ifdef(`SSH_MAILER_PATH', `', `define(`SSH_MAILER_PATH', ifdef(`SSH_PATH', `SSH_PATH', `/usr/bin/ssh'))')
ifdef(`SSH_MAILER_HOST', `', `define(`SSH_MAILER_HOST', `$h')')
ifdef(`SSH_REMOTE_COMMAND', `', `define(`SSH_REMOTE_COMMAND', `/usr/sbin/sendmail -bs')')
ifdef(`SSH_MAILER_USER', `', `_error_(`MAILER(ssh) needs a user: SSH_MAILER_USER')')
ifdef(`SSH_MAILER_DIR', `', `_error_(`MAILER(ssh) needs a folder: SSH_MAILER_DIR')')

divert(_D_MAILER_)
#####
##### SMTP over ssh
#####

Mssh,		P=SSH_MAILER_PATH, F=_flags_(`SSH', `mDFMuX'), S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP, E=\r\n, L=990,
		U=SSH_MAILER_USER, D=SSH_MAILER_DIR,dnl
ifdef(`SSH_MAILER_QGRP', ` Q=SSH_MAILER_QGRP,')
		T=DNS/RFC822/SMTP,
		A=ssh -o BatchMode=yes -o EscapeChar=none -- SSH_MAILER_HOST SSH_REMOTE_COMMAND
divert(-1)
