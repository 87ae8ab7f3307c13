/*
 * PREFIX/etc/conda/conda-gpu.yml: what apply wrote there, so that the next run knows it. Read and
 * written through libcyaml, with a strict schema; only this module knows libcyaml's side of it.
 *
 *     scope(receipt_free) struct receipt *receipt = receipt_parse(text, length);
 *     if (!receipt) ... damaged, or of another version: go on without
 */
#ifndef CONDA_GPU_RECEIPT_H
#define CONDA_GPU_RECEIPT_H

#define RECEIPT_PATH "etc/conda/conda-gpu.yml"

#include "base/digest.h"
#include "base/error.h"
#include "gpu/device.h"
#include "section/vars.h"

/* The folders that the receipt and the hooks are in, outermost first: those of them that were
   missing are made, and are named in the receipt. */
enum { RECEIPT_FOLDERS = 4 };
extern const char *const receipt_folders[RECEIPT_FOLDERS];

struct receipt_device {
    char uuid[UUID_TEXT_SIZE];
    char address[PCI_TEXT_SIZE]; /* PCI bus ID */
};

struct receipt_file {
    char *path; /* below the prefix */
    char digest[DIGEST_TEXT_SIZE];
};

/* A file of somebody else's that stood in a hook's place. */
struct receipt_kept {
    char *path; /* where it stood and where remove puts it back, below the prefix */
    char *now;  /* where it is */
};

struct receipt {
    char *version;                  /* of the program that wrote it */
    char *source;                   /* absolute path of the environment file, or "a pipe" */
    char state[STATE_KEY_SIZE];     /* the key of the hooks' state, kept from the first apply on */
    struct receipt_device *devices; /* in CUDA's order */
    unsigned devices_count;
    char **variables; /* every variable ever managed here */
    unsigned variables_count;
    struct receipt_file *files;
    unsigned files_count;
    struct receipt_kept *kept;
    unsigned kept_count;
    char **folders; /* those that apply made, below the prefix */
    unsigned folders_count;
};

/* NULL, without a message, for text that is no receipt of this format; errno is ENOMEM where it was
   memory that was missing, and 0 otherwise. */
struct receipt *receipt_parse(const char *text, size_t length);

/* The receipt as text. The members may belong to the caller. */
int receipt_print(struct strbuf *out, const struct receipt *receipt, struct error *err);

/* Only for what receipt_parse returned; for scope(). */
void receipt_free(struct receipt **receipt);

/* Whether a text at the receipt's place is one, however damaged. */
bool receipt_is_ours(const char *text, size_t length);

#endif
