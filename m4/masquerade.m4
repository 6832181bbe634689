
#####
##### Ruleset 93, MasqHdr: the name that the world sees, for headers
#####

SMasqHdr=93
ifdef(`_F_genericstable_', `
# _FROM_(`FEATURE', `genericstable')
# <?> nothing found so far, else the new address; then the host to look for, then the address; %1 is what a star or no user stands for
R$+ <@ *LOCAL* >		$: <?> < $j > $1 <@ *LOCAL* >
R$+ <@ ifdef(`_F_generics_entire_domain_', `$* $=G . >		$: <?> < $2 $3 > $1 <@ $2 $3 . >', `$=G . >			$: <?> < $2 > $1 <@ $2 . >')
R<?> < $+ > $+ <@ $+ >		$: < $(generics $2 @ $1 $: ? $) > < $1 > $2 <@ $3 >
R<?> < $+ > $+ + $* <@ $+ >	$: < $(generics $2 + * @ $1 $@ $3 $: ? $) > < $1 > $2 + $3 <@ $4 >
R<?> < $+ > $+ + $* <@ $+ >	$: < $(generics $2 @ $1 $: ? $) > < $1 > $2 + $3 <@ $4 >
R<?> < $+ > $+ <@ $+ >		$: < $(generics @ $1 $@ $2 $: ? $) > < $1 > $2 <@ $3 >
R<?> < $+ > $+ <@ $+ >		$: < $(generics $2 $: ? $) > < $1 > $2 <@ $3 >
R<?> < $+ > $+ + $* <@ $+ >	$: < $(generics $2 + * $@ $3 $: ? $) > < $1 > $2 + $3 <@ $4 >
R<?> < $+ > $+ + $* <@ $+ >	$: < $(generics $2 $: ? $) > < $1 > $2 + $3 <@ $4 >
R<?> < $+ > $*			$: $2
R< $+ > < $+ > $* <@ $+ >	$: <=> $>canonify $1
R<=> $* <@ $+ > $*		$: $1 <@ $2 > $3
R<=> $+				$: $1 <@ *LOCAL* >
R<> $*				$: $1
')dnl

# users that stay visible
R$=E <@ *LOCAL* >		$@ $1 <@ $j . >
ifdef(`_F_masquerade_entire_domain_', `R$=E <@ $* $=M . >		$@ $1 <@ $2 $3 . >', `R$=E <@ $=M . >			$@ $1 <@ $2 . >')
ifdef(`_F_limited_masquerade_', `', `R$=E <@ $=w . >			$@ $1 <@ $2 . >
')dnl

# hosts that stay visible
R$* <@ $* $=N . > $*		$@ $1 <@ $2 $3 . > $4

# <=> and the name to put on; nothing behind it when no name was given
R$*				$: $1 <=> $?M$M$.
ifdef(`_F_masquerade_entire_domain_', `R$* <@ $* $=M . > $* <=> $+	$: $1 <@ *LOCAL* > $4 <=> $5', `R$* <@ $=M . > $* <=> $+	$: $1 <@ *LOCAL* > $3 <=> $4')
ifdef(`_F_limited_masquerade_', `', `R$* <@ $=w . > $* <=> $+	$: $1 <@ *LOCAL* > $3 <=> $4
')dnl
R$* <@ *LOCAL* > $* <=> $+	$@ $1 <@ $3 . > $2
R$* <@ *LOCAL* > $* <=>		$@ $1 <@ $j . > $2
R$* <=> $*			$: $1

#####
##### Ruleset 94, MasqEnv: the same for envelopes
#####

SMasqEnv=94
ifdef(`_F_masquerade_envelope_', `# _FROM_(`FEATURE', `masquerade_envelope')
R$*				$@ $>MasqHdr $1', `R$* <@ *LOCAL* > $*		$: $1 <@ $j . > $2')
