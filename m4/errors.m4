divert(-1)
# Messages. They name the line of the .mc file (or of the file that it named) where m4 knows it.

define(`_HERE_', `ifdef(`__file__', `__file__:__line__', `m4')')
# while a file of the library is read, the line that named it
define(`_AT_', `ifdef(`_PLACE_', `_PLACE_', `_HERE_')')

# _say_(kind, text): to standard error, with place
define(`_say_', `errprint(_AT_`: $1: $2
')')
define(`_warn_', `_say_(`warning', `$1')')
define(`_error_', `_say_(`error', `$1')')

# _fail_(text): an error that makes m4 end with 1
define(`_fail_', `_error_(`$1')define(`_EXIT_', 1)')
define(`_EXIT_', 0)

# _nearest_(word, `,a,b,c,'): the name of the list that shares most pairs of letters with the word
define(`_nearest_', `pushdef(`_best_', `')pushdef(`_score_', 1)_near_walk_(`$1', substr(`$2', 1))_best_`'popdef(`_best_')popdef(`_score_')')
define(`_near_walk_', `ifelse(`$2', `', `', `_near_try_(`$1', `$2')_near_walk_(`$1', shift(shift($@)))')')
define(`_near_try_', `_near_keep_(`$2', _near_count_(`$1', `$2'))')
define(`_near_keep_', `ifelse(eval($2 > _score_), 1, `define(`_best_', `$1')define(`_score_', $2)')')
define(`_near_count_', `_near_weigh_(`$1', `$2', _pairs_(lower(`$1'), lower(`$2')), _apart_(len(`$1'), len(`$2')), ifelse(lower(substr(`$1', 0, 1)), lower(substr(`$2', 0, 1)), 1, 0))')
# _near_weigh_(word, name, pairs, difference of lengths, whether they begin alike): 0 when less than half of the pairs are common, unless two
# letters of a short name may have changed places
define(`_near_weigh_', `ifelse(eval(4 * $3 >= len(`$1') + len(`$2') - 2 || ($5 && $3 && $4 < 2 && len(`$1') < 6)), 1, `eval(3 * $3 - 2 * $4 + $5)', 0)')
define(`_apart_', `ifelse(eval($1 > $2), 1, `eval($1 - $2)', `eval($2 - $1)')')
define(`_pairs_', `ifelse(eval(len(`$1') < 2), 1, 0, `eval(ifelse(index(`$2', substr(`$1', 0, 2)), -1, 0, 1) + _pairs_(substr(`$1', 1), `$2'))')')

# _hint_(word, list): the words "did you mean ..." when a name is near enough
define(`_hint_', `_hint_of_(ifdef(`_renamed_$1_', `_renamed_$1_', `_nearest_(`$1', `$2')'))')
# names of old releases that have a successor
define(`_renamed_rbl_', `dnsbl')
define(`_hint_of_', `ifelse(`$1', `', `', `; did you mean $1?')')
divert(0)dnl
