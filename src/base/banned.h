/*
 * The C library's functions that cannot be used safely, or not in this program, made compile
 * errors: the Makefile includes this file before everything else. A call of strcpy() ends with
 *
 *     error: 'strcpy_is_banned__strbuf_or_memcpy' undeclared
 *
 * whose second half says what to use instead. The standard headers come first, because the macros
 * would spoil their declarations.
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

#define BANNED(name, instead) name##_is_banned__##instead

/* They write past the end of what they are given, or leave it without a NUL. */
#undef strcpy
#define strcpy(...) BANNED(strcpy, strbuf_or_memcpy)
#undef stpcpy
#define stpcpy(...) BANNED(stpcpy, strbuf_or_memcpy)
#undef strcat
#define strcat(...) BANNED(strcat, strbuf)
#undef strncpy
#define strncpy(...) BANNED(strncpy, strbuf_or_memcpy)
#undef stpncpy
#define stpncpy(...) BANNED(stpncpy, strbuf_or_memcpy)
#undef strncat
#define strncat(...) BANNED(strncat, strbuf)
#undef sprintf
#define sprintf(...) BANNED(sprintf, snprintf_or_strbuf_addf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf, vsnprintf_or_strbuf_vaddf)
#undef gets
#define gets(...) BANNED(gets, getline)
#undef alloca
#define alloca(...) BANNED(alloca, malloc)
#undef strdupa
#define strdupa(...) BANNED(strdupa, strdup)
#undef strndupa
#define strndupa(...) BANNED(strndupa, strndup)

/* They keep their state, or their result, where any other call reaches it. */
#undef strtok
#define strtok(...) BANNED(strtok, strchr_or_strcspn)
#undef asctime
#define asctime(...) BANNED(asctime, strftime)
#undef ctime
#define ctime(...) BANNED(ctime, strftime)
#undef gmtime
#define gmtime(...) BANNED(gmtime, gmtime_r)
#undef localtime
#define localtime(...) BANNED(localtime, localtime_r)

/* They cannot tell a number from other text, or overflow without a word. */
#undef atoi
#define atoi(...) BANNED(atoi, number_parse_or_strtol)
#undef atol
#define atol(...) BANNED(atol, number_parse_or_strtol)
#undef atoll
#define atoll(...) BANNED(atoll, number_parse_or_strtoll)
#undef atof
#define atof(...) BANNED(atof, strtod)
#undef scanf
#define scanf(...) BANNED(scanf, getline)
#undef fscanf
#define fscanf(...) BANNED(fscanf, getline)
#undef sscanf
#define sscanf(...) BANNED(sscanf, strtol)
#undef vscanf
#define vscanf(...) BANNED(vscanf, getline)
#undef vfscanf
#define vfscanf(...) BANNED(vfscanf, getline)
#undef vsscanf
#define vsscanf(...) BANNED(vsscanf, strtol)

/* They hand text to a shell. */
#undef system
#define system(...) BANNED(system, fork_and_execvp)
#undef popen
#define popen(...) BANNED(popen, fork_and_execvp)

/* Between the name and its use, anybody may take it. */
#undef mktemp
#define mktemp(...) BANNED(mktemp, tempfile_create)
#undef tmpnam
#define tmpnam(...) BANNED(tmpnam, tempfile_create)
#undef tempnam
#define tempnam(...) BANNED(tempnam, tempfile_create)

/* For `make coverage`: what a child ran counts also when it leaves by _exit(). */
#ifdef COVERAGE
void __gcov_dump(void);
#define _exit(status) (__gcov_dump(), _exit(status))
#endif
