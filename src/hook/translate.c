#include "hook/translate.h"

#include "base/array.h"
#include "base/error.h"
#include "base/scope.h"
#include "hook/script.h"
#include "section/section.h"

#include <string.h>

void translation_release(struct translation *offer)
{
    strbuf_release(&offer->section);
    strbuf_release(&offer->left);
}

/* One variable, on its way from a script to the section. */
struct entry {
    const char *name; /* the effect's */
    enum var_kind kind;
    struct strbuf text;
    char separator; /* of VAR_PREPEND and VAR_APPEND */
};

struct entries array_of(struct entry);

static bool is_list(const struct entry *entry)
{
    return entry->kind == VAR_PREPEND || entry->kind == VAR_APPEND;
}

struct work {
    struct translation *offer;
    struct script script;
    struct entries entries;
    bool failed; /* memory ran out */
};

static void work_release(struct work *work)
{
    for (size_t i = 0; i < work->entries.count; i++)
        strbuf_release(&work->entries.items[i].text);
    free(work->entries.items);
    script_release(&work->script);
}

static void leave(struct work *work, const struct effect *effect, const char *why)
{
    struct strbuf *left = &work->offer->left;

    strbuf_addf(left, "line %zu: ", effect->line);
    strbuf_add_printable(left, effect->text, strcspn(effect->text, "\n"));
    strbuf_addf(left, ": %s\n", why);
}

static struct entry *find_entry(struct work *work, const char *name)
{
    for (size_t i = 0; i < work->entries.count; i++)
        if (strcmp(work->entries.items[i].name, name) == 0)
            return &work->entries.items[i];
    return NULL;
}

/* ---- A value in the script ------------------------------------------------------------------- */

static bool skip(const char **at, const char *text)
{
    bool is = strncmp(*at, text, strlen(text)) == 0;

    *at += is ? strlen(text) : 0;
    return is;
}

/* $NAME or ${NAME} */
static bool skip_reference(const char **at, const char *name)
{
    const char *from = *at;

    if (skip(at, "${") && skip(at, name) && skip(at, "}"))
        return true;
    *at = from;
    if (skip(at, "$") && skip(at, name))
        return true;
    *at = from;
    return false;
}

enum itself { NOT_ITSELF, ITSELF, BEHIND_SEPARATOR, BEFORE_SEPARATOR };

/* Whether a part is the variable's own earlier value: $X, ${X-}, ${X:+:$X}, ${X:+$X:}. */
static enum itself find_itself(const struct part *part, const char *name, char *separator)
{
    const char *at = strbuf_text(&part->text);

    if (part->kind == PART_VARIABLE)
        return strcmp(at, name) == 0 ? ITSELF : NOT_ITSELF;
    if (part->kind == PART_TEXT || !skip(&at, "${") || !skip(&at, name))
        return NOT_ITSELF;
    skip(&at, ":");
    if (strcmp(at, "-}") == 0)
        return ITSELF;
    if (!skip(&at, "+"))
        return NOT_ITSELF;
    bool before = skip_reference(&at, name);
    *separator = *at;
    at += *at != '\0';
    if (!before && !skip_reference(&at, name))
        return NOT_ITSELF;
    return strcmp(at, "}") != 0 ? NOT_ITSELF : before ? BEFORE_SEPARATOR : BEHIND_SEPARATOR;
}

/* Adds a part as the section writes it; false where it cannot. */
static bool add_part(struct strbuf *out, const struct part *part)
{
    const char *text = strbuf_text(&part->text);

    if (part->kind == PART_TEXT && strstr(text, "${"))
        return false; /* the section would expand it */
    if (part->kind == PART_TEXT)
        strbuf_adds(out, text);
    else if (part->kind == PART_OTHER && strcmp(text, "~") == 0 && !out->length)
        strbuf_adds(out, "${HOME}");
    else if (part->kind == PART_VARIABLE &&
             text_is_among(text, var_references, var_reference_count))
        strbuf_addf(out, "${%s}", text);
    else
        return false;
    return true;
}

/* "a:" before the earlier value: "a" and the separator. */
static bool take_separator(struct entry *entry)
{
    struct strbuf *text = &entry->text;
    scope(strbuf_release) struct strbuf rest = STRBUF_INIT;

    if (entry->separator)
        return text->length > 0;
    if (text->length < 2)
        return false;
    bool last = entry->kind == VAR_PREPEND;
    entry->separator = text->text[last ? text->length - 1 : 0];
    strbuf_add(&rest, text->text + !last, text->length - 1);
    strbuf_release(text);
    *text = take(&rest);
    return strchr(":; ,", entry->separator) != NULL;
}

/* NULL, or why the value cannot be had in a section. */
static const char *read_value(struct entry *entry, const struct effect *effect)
{
    enum itself itself = NOT_ITSELF;

    entry->kind = VAR_SET;
    for (size_t i = 0; i < effect->value.count; i++) {
        const struct part *part = &effect->value.items[i];
        enum itself is = find_itself(part, effect->name, &entry->separator);
        if (is == NOT_ITSELF && !add_part(&entry->text, part))
            return "a section expands only $CONDA_PREFIX, $HOME and $USER";
        if ((is == BEHIND_SEPARATOR && !entry->text.length) ||
            (is == BEFORE_SEPARATOR && entry->text.length) || (is && itself))
            return "it adds to the earlier value in another way than before or behind it";
        if (is) {
            itself = is;
            entry->kind = entry->text.length ? VAR_PREPEND : VAR_APPEND;
            if (i + 1 < effect->value.count && entry->kind == VAR_PREPEND)
                return "it adds to the earlier value on both sides";
        }
    }
    if (itself && !take_separator(entry))
        return "it adds to the earlier value without a separator";
    return NULL;
}

/* ---- A value in the section ------------------------------------------------------------------ */

static void add_yaml(struct strbuf *out, const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
    bool is_plain = *text && strspn(text, plain) == strlen(text) && *text != '-' && *text != '.' &&
                    strcasecmp(text, "null") != 0;

    if (is_plain) {
        strbuf_adds(out, text);
        return;
    }
    strbuf_addc(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            strbuf_addf(out, "\\%c", c);
        else if (c < ' ' || c == 127)
            strbuf_addf(out, "\\x%02x", c);
        else
            strbuf_addc(out, *text);
    }
    strbuf_addc(out, '"');
}

/* CUDA_VISIBLE_DEVICES=0,1 as `devices: [0, 1]`. */
static void add_devices(struct strbuf *out, const char *visible)
{
    if (!*visible || strcmp(visible, "-1") == 0) {
        strbuf_adds(out, "none");
        return;
    }
    strbuf_addc(out, '[');
    for (; *visible; visible++)
        if (*visible == ',')
            strbuf_adds(out, ", ");
        else
            strbuf_addc(out, *visible);
    strbuf_addc(out, ']');
}

static void add_list(struct strbuf *out, const struct entry *entry)
{
    strbuf_addf(out, "{%s: ", var_kind_names[entry->kind]);
    add_yaml(out, strbuf_text(&entry->text));
    if (entry->separator != ':')
        strbuf_addf(out, ", separator: \"%c\"", entry->separator);
    strbuf_addc(out, '}');
}

static bool is_devices(const char *name)
{
    return strcmp(name, "CUDA_VISIBLE_DEVICES") == 0;
}

static void add_value(struct strbuf *out, const struct entry *entry)
{
    bool devices = is_devices(entry->name);

    if (entry->kind == VAR_UNSET)
        strbuf_adds(out, devices ? "all" : "null");
    else if (devices)
        add_devices(out, strbuf_text(&entry->text));
    else if (entry->kind == VAR_SET)
        add_yaml(out, strbuf_text(&entry->text));
    else
        add_list(out, entry);
}

static void add_section(struct strbuf *out, const struct entry *entries, size_t count)
{
    scope(strbuf_release) struct strbuf devices = STRBUF_INIT;
    scope(strbuf_release) struct strbuf variables = STRBUF_INIT;

    for (size_t i = 0; i < count; i++) {
        bool is = is_devices(entries[i].name);
        struct strbuf *to = is ? &devices : &variables;
        strbuf_addf(to, "%s%s: ", is ? "  " : "    ", is ? "devices" : entries[i].name);
        add_value(to, &entries[i]);
        strbuf_addc(to, '\n');
    }
    if (count)
        strbuf_addf(out, "gpu:\n%s", strbuf_text(&devices));
    if (variables.length)
        strbuf_addf(out, "  variables:\n%s", strbuf_text(&variables));
    out->failed = out->failed || devices.failed || variables.failed;
}

/* Why a section with this entry alone is none; malloc'ed, NULL if it is one. */
static char *find_fault(struct work *work, const struct entry *entry)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(section_release) struct section section = {0};
    scope(error_release) struct error err = ERROR_INIT;

    add_section(&text, entry, 1);
    int result = section_read(&section, "", strbuf_text(&text), text.length, &err);
    work->failed = work->failed || text.failed || err.no_memory;
    return result < 0 && !work->failed ? strdup(error_first(&err)) : NULL;
}

/* ---- Line by line ---------------------------------------------------------------------------- */

/* The earlier line's value joined with this one's; NULL, or why they cannot be. */
static const char *join(struct entry *earlier, struct entry *later)
{
    bool adds = is_list(later), lists = is_list(earlier);
    bool first = later->kind == VAR_PREPEND;
    scope(strbuf_release) struct strbuf both = STRBUF_INIT;

    if (adds && lists && (earlier->kind != later->kind || earlier->separator != later->separator))
        return "lines before it add to the other side, or with another separator";
    const struct strbuf *one = first ? &later->text : &earlier->text;
    const struct strbuf *other = first ? &earlier->text : &later->text;
    if (adds && earlier->text.length)
        strbuf_addf(&both, "%s%c%s", strbuf_text(one), later->separator, strbuf_text(other));
    else
        strbuf_adds(&both, strbuf_text(&later->text));
    if (!adds || !lists)
        earlier->kind = adds ? VAR_SET : later->kind;
    strbuf_release(&earlier->text);
    earlier->text = take(&both);
    return NULL;
}

static void keep(struct work *work, const struct effect *effect, struct entry *entry)
{
    struct entry *earlier = find_entry(work, entry->name);
    const char *why = earlier ? join(earlier, entry) : NULL;

    if (why)
        leave(work, effect, why);
    else if (!earlier && array_add(&work->entries, take(entry)) < 0)
        work->failed = true;
}

static void take_variable(struct work *work, const struct effect *effect)
{
    struct entry entry = {.name = effect->name, .kind = VAR_UNSET};
    const char *why = effect->kind == EFFECT_SET ? read_value(&entry, effect) : NULL;

    if (!why && is_devices(entry.name) && is_list(&entry))
        why = "GPUs are not added to others; say which";
    scope(free_text) char *fault = why ? NULL : find_fault(work, &entry);
    if (why || fault)
        leave(work, effect, why ? why : fault);
    else
        keep(work, effect, &entry);
    strbuf_release(&entry.text);
}

/* What a script keeps of a variable before it changes that: OLD=$X. */
static bool is_backup(const struct work *work, const struct effect *effect)
{
    const struct word *value = &effect->value;

    if (effect->kind != EFFECT_SET || value->count != 1 || value->items[0].kind != PART_VARIABLE)
        return false;
    for (size_t i = 0; i < work->script.count; i++) {
        const char *name = work->script.items[i].name;
        if (name && name != effect->name && strcmp(name, strbuf_text(&value->items[0].text)) == 0)
            return true;
    }
    return false;
}

static void take_effect(struct work *work, const struct effect *effect)
{
    bool exports = strncmp(effect->text, "export ", 7) == 0;

    if (effect->kind == EFFECT_OTHER && exports && find_entry(work, effect->text + 7))
        return;
    if (effect->sometimes)
        leave(work, effect, "it runs only sometimes");
    else if (!effect->name)
        leave(work, effect, "it is no plain setting of a variable");
    else if (is_backup(work, effect))
        leave(work, effect, "not needed, since the hooks put back what was there");
    else if (strcmp(effect->name, "CUDA_DEVICE_ORDER") == 0)
        leave(work, effect, "with `devices`, the hooks set PCI_BUS_ID");
    else
        take_variable(work, effect);
}

int translate(struct translation *offer, const char *extension, const char *text)
{
    scope(work_release) struct work work = {.offer = offer};

    if (script_read(&work.script, extension, text) < 0)
        return -1;
    for (size_t i = 0; i < work.script.count && !work.failed; i++)
        take_effect(&work, &work.script.items[i]);
    add_section(&offer->section, work.entries.items, work.entries.count);
    return work.failed || offer->section.failed || offer->left.failed ? -1 : 0;
}
