#include "hook/render.h"

#include "base/digest.h"
#include "base/scope.h"
#include "hook/template.h"

#include <string.h>

static void add_printable(struct values *values, const char *name, const char *text)
{
    scope(strbuf_release) struct strbuf printable = STRBUF_INIT;

    strbuf_add_printable(&printable, text, strlen(text));
    values_text(values, name, printable.failed ? NULL : strbuf_text(&printable));
}

static void add_devices(struct values *root, const struct plan *plan)
{
    for (size_t i = 0; i < plan->device_count && plan->gpus == PLAN_GPUS_CHOSEN; i++) {
        const struct planned_device *planned = &plan->devices[i];
        struct values *device = values_each(root, "devices");
        char uuid[UUID_TEXT_SIZE], address[PCI_TEXT_SIZE], memory[MEMORY_TEXT_SIZE];

        values_textf(device, "ordinal", "%zu", i);
        if (planned->number == PLAN_NO_NUMBER)
            values_text(device, "number", "-");
        else
            values_textf(device, "number", "%zu", planned->number);
        add_printable(device, "name", planned->device.name);
        values_text(device, "memory", memory_text(planned->device.memory, memory));
        values_text(device, "address", pci_text(&planned->device.pci, address));
        values_text(device, "uuid", uuid_text(&planned->device, uuid));
    }
    if (plan->gpus == PLAN_GPUS_NONE)
        values_each(root, "no_devices");
    if (plan->gpus == PLAN_GPUS_ALL)
        values_each(root, "all_devices");
    if (plan->unconfirmed)
        values_text(values_each(root, "unconfirmed"), "visible", plan_visible(plan));
}

static void add_quoted(struct values *values, const char *name, const struct shell *shell,
                       const char *value)
{
    scope(strbuf_release) struct strbuf quoted = STRBUF_INIT;

    shell_quote_value(shell, &quoted, value);
    values_text(values, name, quoted.failed ? NULL : strbuf_text(&quoted));
}

static bool is_visible(const char *name)
{
    return strcmp(name, "CUDA_VISIBLE_DEVICES") == 0;
}

/* A scope for the parts of the templates that only CUDA_VISIBLE_DEVICES has. */
static void add_visible(struct values *variable, const char *name)
{
    if (is_visible(name))
        values_each(variable, "visible");
}

static void add_kind(struct values *scope, const struct shell *shell, const struct var *var)
{
    static const char *const kinds[] = {[VAR_SET] = "set",
                                        [VAR_UNSET] = "unset",
                                        [VAR_PREPEND] = "prepend",
                                        [VAR_APPEND] = "append"};
    struct values *kind = values_each(scope, kinds[var->kind]);

    if (var->value)
        add_quoted(kind, "value", shell, var->value);
    if (var->separator)
        add_quoted(kind, "separator", shell, var->separator);
}

static void add_variable(struct values *root, const struct render *in, const struct shell *shell,
                         const struct var *var)
{
    struct values *variable = values_each(root, "variables");
    bool keep = is_visible(var->name) && in->plan->in_job == IN_JOB_KEEP;

    values_text(variable, "name", var->name);
    add_visible(variable, var->name);
    add_kind(variable, shell, var);
    add_kind(values_each(variable, keep ? "keep" : "always"), shell, var);
}

static void add_managed(struct values *root, const struct render *in)
{
    for (size_t i = 0; i < in->managed->count; i++) {
        const char *name = in->managed->items[i];
        struct values *managed = values_each(root, "managed");
        values_text(managed, "name", name);
        add_visible(managed, name);
        if (!vars_find(&in->plan->variables, name))
            values_text(values_each(root, "former"), "name", name);
    }
}

/* Where the 16 digits behind HOOK_DIGEST begin; 0 if there are none. */
static size_t find_digest(const char *text, size_t length)
{
    const char *line = memmem(text, length, "\n" HOOK_DIGEST, strlen("\n" HOOK_DIGEST));
    size_t digits = line ? (size_t)(line - text) + strlen("\n" HOOK_DIGEST) : 0;

    if (!line || length - digits < DIGEST_TEXT_SIZE || text[digits + DIGEST_TEXT_SIZE - 1] != '\n')
        return 0;
    return digits;
}

/* The digest is that of the text with zeros in its own place, which is at `own`. */
static void digest_around(const char *text, size_t length, size_t own,
                          char digits[DIGEST_TEXT_SIZE])
{
    size_t behind = own + DIGEST_TEXT_SIZE - 1;
    uint64_t digest = digest_of(text, own);

    digest = digest_add(digest, "0000000000000000", DIGEST_TEXT_SIZE - 1);
    digest_text(digest_add(digest, text + behind, length - behind), digits);
}

static int sign(struct strbuf *text, const char *template_name, struct error *err)
{
    char digits[DIGEST_TEXT_SIZE];

    if (render_owner(strbuf_text(text), text->length) == OWNER_OTHER)
        return error_add(err, STATUS_INPUT,
                         "%s: the first line must hold '" HOOK_SIGNATURE
                         "@version@', and a line of its own '" HOOK_DIGEST
                         "@digest@'; without them the file could not be told from others",
                         template_name);
    size_t own = find_digest(text->text, text->length);
    digest_around(text->text, text->length, own, digits);
    memcpy(text->text + own, digits, DIGEST_TEXT_SIZE - 1);
    return 0;
}

int render_hook(struct strbuf *out, const struct render *in, const struct shell *shell,
                const char *template_name, const char *template_text, struct error *err)
{
    struct values *root = values_new();

    add_printable(root, "environment", in->environment);
    add_printable(root, "source", in->source);
    values_text(root, "version", in->version);
    values_textf(root, "file", "env_vars.%s", shell->extension);
    values_textf(root, "state", STATE_PREFIX "%s", in->key);
    values_text(root, "digest", "0000000000000000");
    values_textf(root, "count", "%zu", in->plan->variables.count);
    add_devices(root, in->plan);
    if (in->plan->in_job == IN_JOB_KEEP)
        values_each(root, "keep");
    for (size_t i = 0; i < in->plan->variables.count; i++)
        add_variable(root, in, shell, &in->plan->variables.items[i]);
    add_managed(root, in);

    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    int result = template_fill(&text, template_name, template_text, root, err);
    values_free(root);
    if (result == 0 && text.failed)
        result = error_memory(err);
    if (result < 0 || sign(&text, template_name, err) < 0)
        return -1;
    strbuf_add(out, text.text, text.length);
    return out->failed ? error_memory(err) : 0;
}

enum hook_owner render_owner(const char *text, size_t length)
{
    const char *line = memchr(text, '\n', length);
    size_t first = line ? (size_t)(line - text) : 0;
    size_t digest = find_digest(text, length);
    char digits[DIGEST_TEXT_SIZE];

    if (!memmem(text, first, HOOK_SIGNATURE, strlen(HOOK_SIGNATURE)) || !digest)
        return OWNER_OTHER;
    digest_around(text, length, digest, digits);
    return memcmp(digits, text + digest, DIGEST_TEXT_SIZE - 1) == 0 ? OWNER_US : OWNER_US_EDITED;
}

int render_recall(const char *text, struct names *managed, char key[STATE_KEY_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    enum { DIGITS = STATE_KEY_SIZE - 1 };
    int found = 0;

    while (managed->count < MANAGED_LIMIT && (text = strstr(text, STATE_PREFIX))) {
        text += strlen(STATE_PREFIX);
        if (strspn(text, hex) != DIGITS || strncmp(text + DIGITS, "_AT_", 4) != 0)
            continue;
        const char *start = text + DIGITS + 4;
        scope(free_text) char *name = strndup(start, var_name_length(start));
        if (!name)
            return -1;
        if (!names_have(managed, name) && !var_name_is_manageable(name))
            continue;
        if (names_add(managed, name) < 0)
            return -1;
        memcpy(key, text, DIGITS);
        key[DIGITS] = '\0';
        found = 1;
    }
    return found;
}
