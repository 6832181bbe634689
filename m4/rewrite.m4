
#####
##### Ruleset 3, canonify: every address comes here first.
##### It finds the part that says where to go next and puts angles around it: user < @ host . >
##### A dot at the end of the host says that the name is known to be complete.
#####

Scanonify=3

# nothing at all, and a list that was here before
R$@			$@ <@>
R$* : ; <@>		$@ : ; <@>

# Before a colon stands the name of a group, unless the address says otherwise: <:> group possible, <.> not
R$*			$: <:> $1
R<:> $* < $* > $*	$: <.> $1 < $2 > $3		angles follow
R<:> @ $*		$: <.> @ $1			a route
R<:> $* [ IPv6 : $+ ]	$: <.> $1 [ IPv6 : $2 ]		a literal address
R<:> $* :: $*		$: <.> $1 :: $2			DECnet
R<:> : `include' : $*	$: <.> : `include' : $1		a file of addresses
R<.> $* : $* [ $* ]	$: <:> $1 : $2 [ $3 ]		... but a group before a literal
R<:> $* : $*		$: <.> $2
R< $- > $*		$: $2
R$* ;			$1

# what is left of a list
R$* < $+ : ; > $*	$@ $2 : ; <@>
R$* < $* ; > $*		$: $1 < $2 > $3
R$@			$@ : ; <@>
R<@>			$@ : ; <@>

# only the last angles count
R$+			$: < $1 >
R$+ < $* >		< $2 >
R< $* > $+		< $1 >
R<>			$@ <@>
R< $+ >			$: $1

ifdef(`_USE_DEPRECATED_ROUTE_ADDR_', `# routes stay (`_USE_DEPRECATED_ROUTE_ADDR_'): <@a> :@b :user@c
R@ $+ , $+		@ $1 : $2
R@ [ $* ] : $+		$@ $>Canonify2 <@ [ $1 ] > : $2
R@ $+ : $+		$@ $>Canonify2 <@ $1> : $2
',`# routes are of no use any more: only their last stop counts
R@ $+ , $+		$2
R@ [ $* ] : $+		$2
R@ $+ : $+		$2
')dnl

# a list with or without a host
R$+ : $* ; @ $+		$@ $>Canonify2 $1 : $2 ; <@ $3 >
R$+ : $* ;		$@ $1 : $2 ;

# the last at sign separates user and host
R$+ @ $+		$: $1 <@ $2 >
R$+ <@ $* @ $+ >	$1 @ $2 <@ $3 >
R$+ <@ $+ >		$@ $>Canonify2 $1 <@ $2 >

ifdef(`_F_nouucp_', `', `# paths of UUCP: the first stop comes first
R$- ! $+		$@ $>Canonify2 $2 <@ $1 .UUCP >
R$+ . $- ! $+		$@ $>Canonify2 $3 <@ $1 . $2 >
R$+ ! $+		$@ $>Canonify2 $2 <@ $1 .UUCP >
')dnl
ifdef(`_USE_DECNET_SYNTAX_', `# nodes of DECnet
R$- :: $+		$@ $>Canonify2 $2 <@ $1 .DECNET >
R$- . $- :: $+		$@ $>Canonify2 $3 <@ $1 . $2 .DECNET >
')dnl
ifdef(`_F_nopercenthack_', `', `# a percent sign is an at sign that waits for its turn
R$* % $*		$1 @ $2
R$* @ $* @ $*		$1 % $2 @ $3
')dnl
R$* @ $*		$@ $>Canonify2 $1 <@ $2 >

# a plain name
R$*			$@ $>Canonify2 $1

#####
##### Ruleset 96, Canonify2: the host is brought into its full form
#####

SCanonify2=96

# names of the loopback are names of this host
R$* <@ localhost > $*			$: $1 <@ $j . > $2
R$* <@ localhost . $m > $*		$: $1 <@ $j . > $2
ifdef(`_F_nouucp_', `', `R$* <@ localhost . UUCP > $*		$: $1 <@ $j . > $2
')dnl

# literal addresses: ours become our name, others stay and are done
R$* <@ [ $+ ] > $*			$: $1 <@@ [ $2 ] > $3
R$* <@@ $=w > $*			$: $1 <@ $j . > $3
R$* <@@ $+ > $*				$@ $1 <@ $2 > $3
ifdef(`_F_domaintable_', `
# _FROM_(`FEATURE', `domaintable'): old names become new ones
R$* <@ $+ > $*				$: $1 <@ $(domaintable $2 $) > $3
')dnl
ifdef(`_F_vnet_', `
# _FROM_(`FEATURE', `vnet')
R$* <@ $- . $=A > $*			$@ $1 <@ $2 . vnet . > $4
')dnl

# `LOCAL_RULE_3'
undivert(_D_RULE3_)dnl
ifdef(`_F_bitdomain_', `
# _FROM_(`FEATURE', `bitdomain'): names of BITNET become names of the Internet
R$* <@ $+ .BITNET > $*			$: $1 <@ $(bitdomain $2 $: $2 .BITNET $) > $3
')dnl
ifdef(`_F_uucpdomain_', `
# _FROM_(`FEATURE', `uucpdomain'): names of UUCP become names of the Internet
R$* <@ $+ .UUCP > $*			$: $1 <@ $(uudomain $2 $: $2 .UUCP $) > $3
')dnl

# <?flags> of the port in front of an address that is not looked at yet, <.> in front of one that is done
R$* <@ $* > $*				$: <? $&{daemon_flags} > $1 <@ $2 > $3
ifdef(`_F_nocanonify_', `# _FROM_(`FEATURE', `nocanonify'): the name service is asked only for ports with flag c, class Canonify`'ifdef(`_CANONIFY_HOSTS_', ` and names without a dot')
R<? $* c $* > $* <@ $* $~P > $*	$: <.> $3 <@ $[ $4 $5 $] > $6
ifdef(`_CLASS_Canonify_', `R<? $* > $* <@ $* $={Canonify} > $*	$: <.> $2 <@ $[ $3 $4 $] > $5
')dnl
ifdef(`_CANONIFY_HOSTS_', `R<? $* > $* <@ $- > $*		$: <.> $2 <@ $[ $3 $] > $4
')dnl
# a name with a dot is taken as it stands
R<? $* > $* <@ $+ . $+ > $*		$: <.> $2 <@ $3 . $4 . > $5
', `# the name service tells how a host is called, unless the port has flag CC
R<? $* CC $* > $* <@ $+ . $+ > $*	$: <.> $3 <@ $4 . $5 . > $6
R<? $* CC $* > $*			$: <.> $3
ifdef(`_F_nouucp_', `', `ifdef(`UUCP_RELAY', `', `# a host of UUCP may be one that the name service knows, since nobody else is asked
R<? $* > $* <@ $+ .UUCP > $*	$: <.> $2 <@ $[ $3 $] .UUCP. > $4
R<.> $* <@ $+ . .UUCP. > $*	$: <.> $1 <@ $2 . > $3
')')dnl
R<? $* > $* <@ $* $~P > $*		$: <.> $2 <@ $[ $3 $4 $] > $5
')dnl
R<.> $*				$: $1
R<? $* > $*				$: $2
# nobody needs to know more about names that no name server has
R$* <@ $* $=P > $*			$: $1 <@ $2 $3 . > $4

# names that this file knows are complete
R$* <@ $=w > $*				$: $1 <@ $2 . > $3
R$* <@ ifdef(`_F_masquerade_entire_domain_', `$* $=M > $*			$: $1 <@ $2 $3 . > $4', `$=M > $*				$: $1 <@ $2 . > $3')
ifdef(`_F_virtusertable_', `R$* <@ ifdef(`_F_virtuser_entire_domain_', `$* $={VirtHost} > $*		$: $1 <@ $2 $3 . > $4', `$={VirtHost} > $*			$: $1 <@ $2 . > $3')
')dnl
ifdef(`_F_genericstable_', `R$* <@ ifdef(`_F_generics_entire_domain_', `$* $=G > $*			$: $1 <@ $2 $3 . > $4', `$=G > $*				$: $1 <@ $2 . > $3')
')dnl
# one dot is enough
R$* <@ $* . . > $*			$1 <@ $2 . > $3

#####
##### Ruleset 4, final: back into the form that the world sees
#####

Sfinal=4

# a list, and nothing
R$+ : ; <@>		$@ $1 :
R$* <@>			$@

# the dot at the end goes
R$* <@ $+ . > $*	$1 <@ $2 > $3
# so does the mark of names of this host
R$* <@ *LOCAL* > $*	$: $1 <@ $j > $2
# so do the angles
R$* < $+ > $*		$1 $2 $3
ifdef(`_USE_DEPRECATED_ROUTE_ADDR_', `R@ $+ : @ $+ : $+	@ $1 , @ $2 : $3
')dnl
ifdef(`_USE_DECNET_SYNTAX_', `# DECnet as well
R$+ @ $+ . DECNET	$2 :: $1
')dnl
ifdef(`_F_nouucp_', `', `# the world of UUCP writes the host first
R$+ @ $- . UUCP		$2 ! $1
')dnl
# our name twice is once too often
R$+ % $=w @ $=w		$1 @ $2

#####
##### Ruleset 97, Recurse: once more from the start
#####

SRecurse=97
R$*			$: $>canonify $1
R$*			$@ $>parse $1
