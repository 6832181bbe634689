divert(-1)
# `FEATURE(`smrsh', [path])': programs of aliases and .forward files are run by the restricted shell
ifdef(`_MAILER_local_', `_error_(`FEATURE(smrsh) must stand before MAILER(local)')')
define(`LOCAL_SHELL_PATH', ifelse(_ARG_, `', `confEBINDIR`/smrsh'', `_ARG_'))
define(`LOCAL_SHELL_ARGS', `smrsh -c $u')
