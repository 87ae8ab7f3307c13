/* Our lines in a .env file stand between two lines of comment. */
#include "export/keep.h"

#include "base/scope.h"

#include <string.h>

#define BEGIN "# >>> conda-gpu "
#define ENDS  " >>> from its environment.yml, by 'conda-gpu apply'\n"
#define END   "# <<< conda-gpu <<<\n"

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

char *dotenv_owner(const struct strbuf *text)
{
    const char *end, *begin = find_part(text, &end);
    const char *prefix = begin ? begin + strlen(BEGIN) : NULL;
    const char *behind = prefix ? strstr(prefix, " >>> ") : NULL;

    return behind ? strndup(prefix, (size_t)(behind - prefix)) : NULL;
}

/* A line of somebody else's that sets this variable; 0: none. */
static size_t find_line(const char *text, const char *name)
{
    for (size_t number = 1; *text; number++) {
        const char *word = text + strspn(text, " \t");
        word += strncmp(word, "export ", 7) == 0 ? 7 : 0;
        if (strncmp(word, name, strlen(name)) == 0 && strchr("= \t", word[strlen(name)]) &&
            word[strlen(name)])
            return number;
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return 0;
}

static int check_others(const struct keep *keep, const char *others, const struct exported *what,
                        struct error *err)
{
    int result = 0;

    for (size_t i = 0; i < what->plan->variables.count; i++) {
        const char *name = what->plan->variables.items[i].name;
        if (find_line(others, name))
            result = error_add(err, STATUS_PREFIX,
                               "%s: it has a line of its own that sets %s; remove that line, since "
                               "the plan says it",
                               keep->path, name);
    }
    return result;
}

int dotenv_merge(struct keep *keep, const char *prefix, const struct exported *what,
                 struct error *err)
{
    const char *text = strbuf_text(&keep->found), *end = text + keep->found.length;
    const char *begin = find_part(&keep->found, &end);
    const char *before_end = begin ? begin : end;
    scope(strbuf_release) struct strbuf others = STRBUF_INIT;

    strbuf_add(&keep->text, text, (size_t)(before_end - text));
    strbuf_add(&others, text, (size_t)(before_end - text));
    strbuf_adds(&others, begin ? end : "");
    if (what && check_others(keep, strbuf_text(&others), what, err) < 0)
        return -1;
    if (what) {
        bool open = before_end > text && before_end[-1] != '\n';
        strbuf_addf(&keep->text, "%s" BEGIN, open ? "\n" : "");
        strbuf_addf(&keep->text, "%s" ENDS, prefix);
        if (export_dotenv(&keep->text, what, err) < 0)
            return -1;
        strbuf_adds(&keep->text, END);
    }
    strbuf_adds(&keep->text, begin ? end : "");
    return keep->text.failed || others.failed ? error_memory(err) : 0;
}
