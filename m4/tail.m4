
##### Rulesets of `LOCAL_RULESETS', `LOCAL_RULE_1', `LOCAL_RULE_2' and of features #####

undivert(_D_SETS_)dnl

##### Filters #####

undivert(_D_FILTER_)dnl

##### Mailers #####

undivert(_D_MAILER_)dnl
