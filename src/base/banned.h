/*
 * The C library's functions that cannot be used safely, or not in this program, made compile
 * errors: the Makefile includes this file before everything else. A call of strcpy() ends with
 *
 *     error: 'strcpy_is_banned__strbuf_or_memcpy' undeclared
 *
 * whose second half says what to use instead. The standard headers come first, because the macros
 * would spoil their declarations; four functions can be macros there.
 */
#pragma once

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#undef alloca
#undef sprintf
#undef strdupa
#undef strndupa

#define BANNED(name, instead) name##_is_banned__##instead

/* They write past the end of what they are given, or leave it without a NUL. */
#define strcpy(...)   BANNED(strcpy, strbuf_or_memcpy)
#define stpcpy(...)   BANNED(stpcpy, strbuf_or_memcpy)
#define strcat(...)   BANNED(strcat, strbuf)
#define strncpy(...)  BANNED(strncpy, strbuf_or_memcpy)
#define stpncpy(...)  BANNED(stpncpy, strbuf_or_memcpy)
#define strncat(...)  BANNED(strncat, strbuf)
#define sprintf(...)  BANNED(sprintf, snprintf_or_strbuf_addf)
#define vsprintf(...) BANNED(vsprintf, vsnprintf_or_strbuf_vaddf)
#define gets(...)     BANNED(gets, getline)
#define alloca(...)   BANNED(alloca, malloc)
#define strdupa(...)  BANNED(strdupa, strdup)
#define strndupa(...) BANNED(strndupa, strndup)

/* They keep their state, or their result, where any other call reaches it. */
#define strtok(...)    BANNED(strtok, strchr_or_strcspn)
#define asctime(...)   BANNED(asctime, strftime)
#define ctime(...)     BANNED(ctime, strftime)
#define gmtime(...)    BANNED(gmtime, gmtime_r)
#define localtime(...) BANNED(localtime, localtime_r)

/* They cannot tell a number from other text, or overflow without a word. */
#define atoi(...)    BANNED(atoi, number_parse_or_strtol)
#define atol(...)    BANNED(atol, number_parse_or_strtol)
#define atoll(...)   BANNED(atoll, number_parse_or_strtoll)
#define atof(...)    BANNED(atof, strtod)
#define scanf(...)   BANNED(scanf, getline)
#define fscanf(...)  BANNED(fscanf, getline)
#define sscanf(...)  BANNED(sscanf, strtol)
#define vscanf(...)  BANNED(vscanf, getline)
#define vfscanf(...) BANNED(vfscanf, getline)
#define vsscanf(...) BANNED(vsscanf, strtol)

/* They hand text to a shell. */
#define system(...) BANNED(system, fork_and_execvp)
#define popen(...)  BANNED(popen, fork_and_execvp)

/* Between the name and its use, anybody may take it. */
#define mktemp(...)  BANNED(mktemp, tempfile_create)
#define tmpnam(...)  BANNED(tmpnam, tempfile_create)
#define tempnam(...) BANNED(tempnam, tempfile_create)

/* For `make coverage`: what a child ran counts also when it leaves by _exit(). */
#ifdef COVERAGE
void __gcov_dump(void);
#define _exit(status) (__gcov_dump(), _exit(status))
#endif
