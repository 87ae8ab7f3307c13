/*
 * How shells ask whether a text matches one of some patterns: the members tell_patterns of
 * shells[].
 */
#pragma once

#include "base/strbuf.h"
#include "section/vars.h"

/* case $variable in  a | b*)  */
void tell_patterns_sh(struct strbuf *out, const char *variable, const struct names *patterns);

/* contains -- "$variable" a; or string match -qr '^(b.*)$' -- "$variable"
   `case` of fish knows no sets, and from 4.0 on no ?. */
void tell_patterns_fish(struct strbuf *out, const char *variable, const struct names *patterns);

/* case a:
   case b*:  */
void tell_patterns_csh(struct strbuf *out, const char *variable, const struct names *patterns);
