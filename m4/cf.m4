divert(-1)
changecom()
# The configuration library: what an .mc reads first, or what m4 is given before it.
#
#	m4 m4/cf.m4 my.mc > my.cf
#
# Nothing but declarations happens here. The configuration file is written when the .mc has ended, by assemble.m4.

ifdef(`format', `undefine(`format')')

# _CF_DIR_ is the folder above this one, with a slash at its end.
ifdef(`_CF_DIR_',
	`ifelse(substr(_CF_DIR_, decr(len(_CF_DIR_))), `/', `', `define(`_CF_DIR_', _CF_DIR_`/')')',
	`ifdef(`__file__',
		`ifelse(eval(len(__file__) > 8), 1, `define(`_CF_DIR_', substr(__file__, 0, eval(len(__file__) - 8)))',
			len(__file__), 8, `define(`_CF_DIR_', `./')',
			`define(`_CF_DIR_', `../')')',
		`define(`_CF_DIR_', `../')')')

# _LIB_ is the folder of feature, mailer, ostype and so on: beside m4 when installed, below cf in the source tree.
define(`_LIB_', _CF_DIR_)
sinclude(_CF_DIR_`cf/source-tree.m4')

include(_CF_DIR_`m4/version.m4')
include(_CF_DIR_`m4/errors.m4')
include(_CF_DIR_`m4/names.m4')
include(_CF_DIR_`m4/words.m4')
include(_CF_DIR_`m4/defaults.m4')

m4wrap(`include(_CF_DIR_`m4/assemble.m4')')
divert(0)dnl
# Written by m4 with the configuration library of sendmail-rs _LIB_VERSION_.
# Change the .mc file and build again rather than this file.

