/* A .env file. Its readers agree on little: python-dotenv and VS Code replace ${NAME} in every kind
   of quotes, compose and python-dotenv read a backslash differently. So a value is written plain,
   or between single quotes, where all of them take it as it stands; what would need more is
   refused. In a file that is kept, our lines stand between two lines of comment. */
#include "export/keep.h"

#include "base/scope.h"

#include <string.h>

#define BEGIN "# >>> conda-gpu "
#define ENDS  " >>> from its environment.yml, by 'conda-gpu apply'\n"
#define END   "# <<< conda-gpu <<<\n"

static const char *fault(const char *value)
{
    if (export_has_control(value, ""))
        return "its value has a control character, such as a line end";
    if (strchr(value, '\''))
        return "readers of such files do not agree on a quote within quotes";
    if (strchr(value, '\\'))
        return "readers of such files do not agree on a backslash";
    if (strstr(value, "${"))
        return "readers of such files would replace the ${...} in its value";
    return NULL;
}

static int add(struct strbuf *out, const struct exported *what, const struct var *var,
               struct error *err)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+,-";
    scope(free_text) char *value = NULL;
    int got = export_fixed(&value, "dotenv", what, var, err);

    if (got <= 0)
        return got;
    if (fault(value))
        return export_refuse("dotenv", var, fault(value), err);
    const char *quote = value[strspn(value, plain)] ? "'" : "";
    strbuf_addf(out, "%s=%s%s%s\n", var->name, quote, value, quote);
    return 0;
}

static int export_dotenv(struct strbuf *out, const struct exported *what, struct error *err)
{
    int result = 0;

    for (size_t i = 0; i < what->plan->variables.count; i++)
        if (add(out, what, &what->plan->variables.items[i], err) < 0)
            result = -1;
    return result;
}

/* ---- In a file of others --------------------------------------------------------------------- */

/* Our part: from its first line to behind its last one. A part whose end is gone ends with its
   first line. NULL: there is none. */
static const char *find_part(const struct strbuf *text, const char **end)
{
    const char *begin = strbuf_text(text);

    while (strncmp(begin, BEGIN, strlen(BEGIN)) != 0) {
        begin = strchr(begin, '\n');
        if (!begin++)
            return NULL;
    }
    const char *last = strstr(begin, "\n" END), *line = strchr(begin, '\n');
    *end = last ? last + 1 + strlen(END) : line ? line + 1 : begin + strlen(begin);
    return begin;
}

static char *owner(const struct strbuf *text)
{
    const char *end, *begin = find_part(text, &end);
    const char *prefix = begin ? begin + strlen(BEGIN) : NULL;
    const char *behind = prefix ? strstr(prefix, " >>> ") : NULL;

    return behind ? strndup(prefix, (size_t)(behind - prefix)) : NULL;
}

/* Whether one of these lines sets the variable. */
static bool is_set(const char *lines, const char *name)
{
    for (const char *line = lines; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *word = line + strspn(line, " \t");
        word += strncmp(word, "export ", 7) == 0 ? 7 : 0;
        size_t length = strncmp(word, name, strlen(name)) == 0 ? strlen(name) : 0;
        if (length && word[length] && strchr("= \t", word[length]))
            return true;
    }
    return false;
}

static int check_others(const struct keep *keep, const char *others, const struct exported *what,
                        struct error *err)
{
    int result = 0;

    for (size_t i = 0; i < what->plan->variables.count; i++) {
        const char *name = what->plan->variables.items[i].name;
        if (is_set(others, name))
            result = error_add(err, STATUS_PREFIX,
                               "%s: it has a line of its own that sets %s; remove that line, since "
                               "the plan says it",
                               keep->path, name);
    }
    return result;
}

static int merge(struct keep *keep, const struct exported *what, struct error *err)
{
    const char *text = strbuf_text(&keep->found), *after = text + keep->found.length;
    const char *begin = find_part(&keep->found, &after);
    size_t before = (size_t)((begin ? begin : after) - text);
    scope(strbuf_release) struct strbuf others = STRBUF_INIT;

    strbuf_add(&others, text, before);
    strbuf_adds(&others, after);
    strbuf_add(&keep->text, text, before);
    if (what->plan) {
        bool open = before && text[before - 1] != '\n';
        if (check_others(keep, strbuf_text(&others), what, err) < 0)
            return -1;
        strbuf_addf(&keep->text, "%s" BEGIN "%s" ENDS, open ? "\n" : "", what->prefix);
        if (export_dotenv(&keep->text, what, err) < 0)
            return -1;
        strbuf_adds(&keep->text, END);
    }
    strbuf_adds(&keep->text, after);
    return keep->text.failed || others.failed ? error_memory(err) : 0;
}

const struct format dotenv_format = {"dotenv", export_dotenv, merge, owner};
