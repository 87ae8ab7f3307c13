#include "hook/template.h"

#include "base/scope.h"

#include <stdarg.h>
#include <string.h>

/* One list holds both kinds of members: those with text, and scopes. */
struct values {
    const char *name; /* a literal of the caller's */
    char *text;       /* NULL for a scope */
    bool failed;      /* on the root: memory ran out */
    struct values *outer;
    struct values *first, *last, *next;
};

struct values *values_new(void)
{
    return calloc(1, sizeof(struct values));
}

void values_free(struct values *values)
{
    if (!values)
        return;
    for (struct values *member = values->first, *next; member; member = next) {
        next = member->next;
        values_free(member);
    }
    free(values->text);
    free(values);
}

static void fail(struct values *values)
{
    while (values->outer)
        values = values->outer;
    values->failed = true;
}

struct values *values_each(struct values *values, const char *name)
{
    struct values *member = values ? values_new() : NULL;

    if (!values)
        return NULL;
    if (!member) {
        fail(values);
        return NULL;
    }
    member->name = name;
    member->outer = values;
    if (values->last)
        values->last->next = member;
    else
        values->first = member;
    values->last = member;
    return member;
}

void values_text(struct values *values, const char *name, const char *text)
{
    struct values *member = values_each(values, name);

    if (!member)
        return;
    member->text = text ? strdup(text) : NULL;
    if (!member->text)
        fail(values);
}

void values_textf(struct values *values, const char *name, const char *format, ...)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    va_list args;

    va_start(args, format);
    strbuf_vaddf(&text, format, args);
    va_end(args);
    values_text(values, name, text.failed ? NULL : strbuf_text(&text));
}

struct filling {
    struct strbuf *out;
    const char *name;
    const char *start;
    struct error *err;
};

/* What stands at a position of a template. */
enum mark { MARK_NONE, MARK_VALUE, MARK_EACH, MARK_END };

struct tag {
    enum mark mark;
    const char *start;
    const char *name;
    size_t length;
    const char *next; /* where the template goes on */
};

static struct place place_in(const struct filling *in, const char *at)
{
    struct place place = {in->name, 1, 1};

    for (const char *p = in->start; p < at; p++) {
        place.line += *p == '\n';
        place.column = *p == '\n' ? 1 : place.column + 1;
    }
    return place;
}

/* `start` is the template's; a part's tags that fill a line take that line with them. */
static struct tag tag_at(const char *start, const char *at)
{
    static const struct {
        const char *opening;
        enum mark mark;
    } openings[] = {{"@each ", MARK_EACH}, {"@end ", MARK_END}, {"@", MARK_VALUE}};

    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
        size_t opening = strlen(openings[i].opening);
        if (strncmp(at, openings[i].opening, opening) != 0)
            continue;
        const char *name = at + opening;
        size_t length = 0;
        while ((name[length] >= 'a' && name[length] <= 'z') || name[length] == '_')
            length++;
        const char *next = name + length + 1;
        if (!length || name[length] != '@')
            continue;
        bool line = (at == start || at[-1] == '\n') && *next == '\n';
        bool eaten = line && openings[i].mark != MARK_VALUE;
        return (struct tag){openings[i].mark, at, name, length, eaten ? next + 1 : next};
    }
    return (struct tag){.next = at + 1};
}

static bool is_named(const struct values *values, const struct tag *tag)
{
    return strlen(values->name) == tag->length && memcmp(values->name, tag->name, tag->length) == 0;
}

static const char *text_named(const struct values *scope, const struct tag *tag)
{
    for (; scope; scope = scope->outer)
        for (const struct values *member = scope->first; member; member = member->next)
            if (member->text && is_named(member, tag))
                return member->text;
    return NULL;
}

/* Where the part that begins here ends: its @end@ tag, or the NUL if that is missing. */
static const char *end_of_part(const char *start, const char *at)
{
    size_t depth = 1;

    while (*(at = strchrnul(at, '@'))) {
        struct tag tag = tag_at(start, at);
        depth += tag.mark == MARK_EACH;
        depth -= tag.mark == MARK_END;
        if (!depth)
            return at;
        at = tag.next;
    }
    return at;
}

static int fill(const struct filling *in, const char *at, const char *end,
                const struct values *values);

/* Fills the part behind an @each@ once per scope, and moves each->next behind its @end@. */
static int fill_each(const struct filling *in, struct tag *each, const struct values *values)
{
    const char *end = end_of_part(in->start, each->next);
    struct tag closing = tag_at(in->start, end);

    if (!*end || closing.length != each->length ||
        memcmp(closing.name, each->name, each->length) != 0)
        return error_at(in->err, place_in(in, each->start), "'@each %.*s@' has no '@end %.*s@'",
                        (int)each->length, each->name, (int)each->length, each->name);
    const char *start = each->next;
    each->next = closing.next;
    for (const struct values *member = values->first; member; member = member->next)
        if (!member->text && is_named(member, each) && fill(in, start, end, member) < 0)
            return -1;
    return 0;
}

static int fill(const struct filling *in, const char *at, const char *end,
                const struct values *values)
{
    while (at < end) {
        const char *plain = at;
        while (at < end && *at != '@')
            at++;
        strbuf_add(in->out, plain, (size_t)(at - plain));
        if (at == end)
            break;
        struct tag tag = tag_at(in->start, at);
        const char *text = tag.mark == MARK_VALUE ? text_named(values, &tag) : NULL;
        if (tag.mark == MARK_END || (tag.mark == MARK_VALUE && !text))
            return error_at(in->err, place_in(in, at), "'%.*s' means nothing here",
                            (int)(tag.name + tag.length + 1 - at), at);
        if (tag.mark == MARK_EACH) {
            if (fill_each(in, &tag, values) < 0)
                return -1;
        } else {
            strbuf_adds(in->out, text ? text : "@");
        }
        at = tag.next;
    }
    return 0;
}

int template_fill(struct strbuf *out, const char *name, const char *text,
                  const struct values *values, struct error *err)
{
    struct filling in = {out, name, text, err};

    if (!values || values->failed)
        return error_memory(err);
    return fill(&in, text, text + strlen(text), values);
}
