/*
 * What the fuzz targets share. A target is tests/fuzz/NAME.c with one function, which libFuzzer
 * calls with one input after another; the input is at fault if it crashes, leaks, hangs, is caught
 * by a sanitizer or breaks what the target requires. `make fuzz` builds and runs them.
 */
#pragma once

#include "base/error.h"
#include "support/error_text.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process, naming the condition, unless it holds. */
#define require(condition) ((condition) ? (void)0 : broken(__FILE__, __LINE__, #condition))

_Noreturn void broken(const char *file, int line, const char *what);

/* The contract of src/error.h: lines were added if and only if the call failed, and every line is
   text that harms no terminal. */
void require_contract(int result, struct error *err);

/* Both hold the same text. NULL is no text. */
int same_text(const char *a, const char *b);

/* The input as text, up to its first NUL; malloc'ed exactly as long, so that the sanitizer sees a
   read past its end. */
char *input_text(const uint8_t *data, size_t size);

/* The answers of a child process that a target decodes. */
struct answer_format {
    size_t room;                                  /* bytes, of the longest right one */
    unsigned most;                                /* devices in it */
    size_t (*right)(char *bytes, uint32_t count); /* writes one with so many; how long it is */
    void (*decode)(const char *bytes, size_t length);
};

/* Has the input decoded: as it is, or as the changes of some bytes in a right answer. */
void decode_answer(const struct answer_format *format, const uint8_t *data, size_t size);

/* An empty folder for this process below TMPDIR or /tmp, made by the first call. It stays. */
const char *scratch_folder(void);

/* Writes a file below the scratch folder; the folders on its way are there. */
void scratch_write(const char *name, const void *bytes, size_t length);
