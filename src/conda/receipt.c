#include "conda/receipt.h"

#include "base/scope.h"
#include "base/utf8.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#define FIRST_WORDS "# Receipt of conda-gpu"

const char *const receipt_folders[RECEIPT_FOLDERS] = {"etc", "etc/conda", "etc/conda/deactivate.d",
                                                      "etc/conda/activate.d"};

static const cyaml_schema_value_t text_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t device_fields[] = {
    CYAML_FIELD_STRING("uuid", CYAML_FLAG_DEFAULT, struct receipt_device, uuid, 0),
    CYAML_FIELD_STRING("address", CYAML_FLAG_DEFAULT, struct receipt_device, address, 0),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t device_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct receipt_device, device_fields),
};

static const cyaml_schema_field_t file_fields[] = {
    CYAML_FIELD_STRING_PTR("path", CYAML_FLAG_POINTER, struct receipt_file, path, 0,
                           CYAML_UNLIMITED),
    CYAML_FIELD_STRING("digest", CYAML_FLAG_DEFAULT, struct receipt_file, digest, 0),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct receipt_file, file_fields),
};

static const cyaml_schema_field_t kept_fields[] = {
    CYAML_FIELD_STRING_PTR("path", CYAML_FLAG_POINTER, struct receipt_kept, path, 0,
                           CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("now", CYAML_FLAG_POINTER, struct receipt_kept, now, 0, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t kept_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct receipt_kept, kept_fields),
};

static const cyaml_schema_field_t receipt_fields[] = {
    CYAML_FIELD_STRING_PTR("version", CYAML_FLAG_POINTER, struct receipt, version, 0,
                           CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("source", CYAML_FLAG_POINTER, struct receipt, source, 0,
                           CYAML_UNLIMITED),
    CYAML_FIELD_STRING("state", CYAML_FLAG_DEFAULT, struct receipt, state, STATE_KEY_SIZE - 1),
    CYAML_FIELD_SEQUENCE("devices", CYAML_FLAG_POINTER, struct receipt, devices, &device_value, 0,
                         CYAML_UNLIMITED),
    CYAML_FIELD_SEQUENCE("variables", CYAML_FLAG_POINTER, struct receipt, variables, &text_value, 0,
                         MANAGED_LIMIT),
    CYAML_FIELD_SEQUENCE("files", CYAML_FLAG_POINTER, struct receipt, files, &file_value, 0,
                         CYAML_UNLIMITED),
    CYAML_FIELD_SEQUENCE("kept", CYAML_FLAG_POINTER, struct receipt, kept, &kept_value, 0,
                         CYAML_UNLIMITED),
    CYAML_FIELD_SEQUENCE("folders", CYAML_FLAG_POINTER, struct receipt, folders, &text_value, 0,
                         CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t receipt_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct receipt, receipt_fields),
};

static const cyaml_config_t quiet = {
    .log_fn = NULL,
    .mem_fn = cyaml_mem,
    .log_level = CYAML_LOG_ERROR,
    .flags = CYAML_CFG_NO_ALIAS,
};

static bool is_key(const char *text)
{
    return strspn(text, "0123456789abcdef") == STATE_KEY_SIZE - 1 && !text[STATE_KEY_SIZE - 1];
}

/* A file right below one of the two hook folders, or beside the receipt: what `kept` may name,
   whatever somebody wrote into the receipt. */
static bool is_below(const char *path)
{
    for (size_t i = 1; i < RECEIPT_FOLDERS; i++) {
        size_t length = strlen(receipt_folders[i]);
        if (strncmp(path, receipt_folders[i], length) != 0 || path[length] != '/')
            continue;
        const char *name = path + length + 1;
        if (*name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            return true;
    }
    return false;
}

static bool is_kept_pair(const struct receipt_kept *kept)
{
    const char *path = strrchr(kept->path, '/'), *now = strrchr(kept->now, '/');

    return is_below(kept->path) && is_below(kept->now) && path - kept->path == now - kept->now &&
           strncmp(kept->path, kept->now, (size_t)(path - kept->path)) == 0;
}

static bool is_folder_of_ours(const char *path)
{
    for (size_t i = 0; i < RECEIPT_FOLDERS; i++)
        if (strcmp(path, receipt_folders[i]) == 0)
            return true;
    return false;
}

/* A line such as "%TAG": we write none, and libyaml compares each with all before it. */
static bool has_directive(const char *text, size_t length)
{
    return (length && *text == '%') || memmem(text, length, "\n%", 2);
}

struct receipt *receipt_parse(const char *text, size_t length)
{
    cyaml_data_t *data = NULL;

    errno = 0; /* libcyaml says of all that went wrong in libyaml the same */
    if (has_directive(text, length) ||
        cyaml_load_data((const uint8_t *)text, length, &quiet, &receipt_value, &data, NULL) !=
            CYAML_OK ||
        !data)
        return NULL;
    scope(receipt_free) struct receipt *receipt = data;
    bool sound = is_key(receipt->state);
    for (unsigned i = 0; i < receipt->variables_count; i++)
        sound = sound && var_name_is_manageable(receipt->variables[i]);
    for (unsigned i = 0; i < receipt->kept_count; i++)
        sound = sound && is_kept_pair(&receipt->kept[i]);
    for (unsigned i = 0; i < receipt->folders_count; i++)
        sound = sound && is_folder_of_ours(receipt->folders[i]);
    return sound ? take(&receipt) : NULL;
}

int receipt_print(struct strbuf *out, const struct receipt *receipt, struct error *err)
{
    static struct receipt_device no_device;
    static struct receipt_file no_file;
    static struct receipt_kept no_kept;
    static char *no_text;
    scope(strbuf_release) struct strbuf source = STRBUF_INIT;
    struct receipt printed = *receipt;
    char *text = NULL;
    size_t length = 0;

    /* A path may hold any bytes, YAML only text. */
    strbuf_add_printable(&source, receipt->source, strlen(receipt->source));
    if (source.failed)
        return error_memory(err);
    if (!is_utf8(receipt->source, strlen(receipt->source)))
        printed.source = source.text;
    /* libcyaml takes an empty list, but no NULL for one. */
    printed.devices = printed.devices ? printed.devices : &no_device;
    printed.variables = printed.variables ? printed.variables : &no_text;
    printed.files = printed.files ? printed.files : &no_file;
    printed.kept = printed.kept ? printed.kept : &no_kept;
    printed.folders = printed.folders ? printed.folders : &no_text;
    errno = 0;
    cyaml_err_t result = cyaml_save_data(&text, &length, &quiet, &receipt_value, &printed, 0);
    if (result != CYAML_OK && errno == ENOMEM)
        return error_memory(err);
    if (result != CYAML_OK)
        return error_add(err, STATUS_SYSTEM, "cannot write the receipt: %s",
                         cyaml_strerror(result));
    strbuf_adds(out, FIRST_WORDS ", which reads it at its next run. Change the source instead.\n");
    strbuf_add(out, text, length);
    cyaml_mem(NULL, text, 0);
    return out->failed ? error_memory(err) : 0;
}

void receipt_free(struct receipt **receipt)
{
    cyaml_free(&quiet, &receipt_value, *receipt, 0);
}

bool receipt_is_ours(const char *text, size_t length)
{
    return length >= strlen(FIRST_WORDS) && memcmp(text, FIRST_WORDS, strlen(FIRST_WORDS)) == 0;
}
