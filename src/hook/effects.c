#include "hook/command.h"

#include "base/array.h"
#include "base/scope.h"
#include "section/vars.h"

#include <string.h>

static struct effect *add_effect(struct command *command, enum effect_kind kind, const char *name,
                                 size_t name_length)
{
    struct effect effect = {.kind = kind, .line = command->line};
    size_t length = (size_t)(command->to - command->from);

    effect.sometimes = command->sometimes || command->blocks || command->brackets;
    effect.text = strndup(command->from, length);
    effect.name = name ? strndup(name, name_length) : NULL;
    if (!effect.text || (name && !effect.name) || array_add(command->script, effect) < 0) {
        free(effect.text);
        free(effect.name);
        command->failed = true;
        return NULL;
    }
    return &command->script->items[command->script->count - 1];
}

static void add_value(struct command *command, struct effect *effect, enum part_kind kind,
                      const char *text)
{
    struct part part = {kind, STRBUF_INIT};

    strbuf_adds(&part.text, text);
    if (effect && !part.text.failed && array_add(&effect->value, part) == 0)
        return;
    strbuf_release(&part.text);
    command->failed = true;
}

/* Moves the parts of a word, without its first bytes, behind the effect's value. */
static void move_value(struct command *command, struct effect *effect, struct word *word,
                       size_t skipped)
{
    for (size_t i = 0; i < word->count && effect; i++) {
        const char *text = strbuf_text(&word->items[i].text) + (i ? 0 : skipped);
        if (*text)
            add_value(command, effect, word->items[i].kind, text);
    }
}

/* NAME=VALUE and NAME+=VALUE: how long they are with their =; 0: it is neither. */
static size_t assignment(const struct word *word, size_t *name_length)
{
    const char *text =
        word->count && word->items[0].kind == PART_TEXT ? strbuf_text(&word->items[0].text) : "";
    size_t length = var_name_length(text);

    *name_length = length;
    if (!length || (text[0] >= '0' && text[0] <= '9'))
        return 0;
    length += text[length] == '+';
    return text[length] == '=' ? length + 1 : 0;
}

static bool add_assignment(struct command *command, struct word *word)
{
    size_t name, skipped = assignment(word, &name);

    if (!skipped)
        return false;
    const char *text = strbuf_text(&word->items[0].text);
    struct effect *effect = add_effect(command, EFFECT_SET, text, name);
    if (effect && skipped > name + 1)
        add_value(command, effect, PART_VARIABLE, effect->name);
    move_value(command, effect, word, skipped);
    return true;
}

static void add_unset(struct command *command, const struct word *word)
{
    const char *name = word_text(word);

    if (name && var_name_has_shape(name))
        add_effect(command, EFFECT_UNSET, name, strlen(name));
}

static void add_source(struct command *command, size_t i)
{
    struct effect *effect = add_effect(command, EFFECT_SOURCE, NULL, 0);

    if (i < command->count)
        move_value(command, effect, &command->items[i], 0);
}

/* ---- What each command does ------------------------------------------------------------------ */

/* Whether a word is options among which is one of these letters, behind this sign. */
static bool has_option(const struct word *word, char sign, const char *letters)
{
    const char *text = word_text(word);

    return text && text[0] == sign && text[1] != sign && strpbrk(text + 1, letters);
}

/* export, declare, typeset and readonly. */
static void do_export(struct command *command, size_t i)
{
    bool no_longer = false;

    for (; i < command->count; i++) {
        struct word *word = &command->items[i];
        if (has_option(word, '-', "fp"))
            return;
        no_longer = no_longer || has_option(word, '-', "n") || has_option(word, '+', "x");
        if (!add_assignment(command, word) && no_longer)
            add_unset(command, word);
    }
}

static void do_unset(struct command *command, size_t i)
{
    for (; i < command->count; i++) {
        if (has_option(&command->items[i], '-', "f"))
            return;
        add_unset(command, &command->items[i]);
    }
}

static void do_setenv(struct command *command, size_t i)
{
    const char *name = i < command->count ? word_text(&command->items[i]) : NULL;

    if (!name || !var_name_has_shape(name))
        return;
    struct effect *effect = add_effect(command, EFFECT_SET, name, strlen(name));
    if (i + 1 < command->count)
        move_value(command, effect, &command->items[i + 1], 0);
}

/* fish's options of `set`, as letters. */
static char fish_option(const char *text)
{
    static const struct {
        const char *name;
        char letter;
    } options[] = {{"--erase", 'e'},   {"--query", 'q'},    {"--names", 'n'},
                   {"--show", 'S'},    {"--local", 'l'},    {"--append", 'a'},
                   {"--prepend", 'p'}, {"--unexport", 'u'}, {"--universal", 'U'},
                   {"--function", 'f'}};

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(text, options[i].name) == 0)
            return options[i].letter;
    return 'x';
}

/* Lists are exported with a : between their items, where the name ends in PATH, else a space. */
static void add_list(struct command *command, size_t i, const char *name, const char *options)
{
    size_t length = strlen(name);
    const char *gap = length >= 4 && strcmp(name + length - 4, "PATH") == 0 ? ":" : " ";
    struct effect *effect = add_effect(command, EFFECT_SET, name, length);

    if (strchr(options, 'a'))
        add_value(command, effect, PART_VARIABLE, name);
    for (size_t first = i; i < command->count && effect; i++) {
        if (i > first || strchr(options, 'a'))
            add_value(command, effect, PART_TEXT, gap);
        move_value(command, effect, &command->items[i], 0);
    }
    if (strchr(options, 'p') && effect) {
        add_value(command, effect, PART_TEXT, gap);
        add_value(command, effect, PART_VARIABLE, name);
    }
}

static void do_fish_set(struct command *command, size_t i)
{
    scope(strbuf_release) struct strbuf options = STRBUF_INIT;

    for (; i < command->count; i++) {
        const char *text = word_text(&command->items[i]);
        if (!text || text[0] != '-' || !text[1])
            break;
        if (text[1] == '-')
            strbuf_addc(&options, fish_option(text));
        else
            strbuf_adds(&options, text + 1);
    }
    const char *given = strbuf_text(&options);
    const char *name = i < command->count ? word_text(&command->items[i]) : NULL;
    if (!name || strpbrk(given, "qnSlfU"))
        return;
    if (strpbrk(given, "eu"))
        for (; i < command->count; i++)
            add_unset(command, &command->items[i]);
    else if (var_name_has_shape(name))
        add_list(command, i + 1, name, given);
}

static const struct {
    enum dialect dialect;
    const char *name;
    void (*act)(struct command *command, size_t i); /* i: the first argument */
} actions[] = {
    {SCRIPT_SH, "export", do_export},   {SCRIPT_SH, "declare", do_export},
    {SCRIPT_SH, "typeset", do_export},  {SCRIPT_SH, "readonly", do_export},
    {SCRIPT_SH, "unset", do_unset},     {SCRIPT_SH, "source", add_source},
    {SCRIPT_SH, ".", add_source},       {SCRIPT_FISH, "set", do_fish_set},
    {SCRIPT_FISH, "export", do_export}, {SCRIPT_FISH, "source", add_source},
    {SCRIPT_FISH, ".", add_source},     {SCRIPT_CSH, "setenv", do_setenv},
    {SCRIPT_CSH, "unsetenv", do_unset}, {SCRIPT_CSH, "source", add_source},
};

/* Assignments that no command follows. */
static bool only_assigns(const struct command *command, size_t i)
{
    size_t length;

    for (; i < command->count; i++)
        if (!assignment(&command->items[i], &length))
            return false;
    return command->dialect == SCRIPT_SH;
}

void command_act(struct command *command, size_t i)
{
    size_t before = command->script->count;

    if (i >= command->count || (command->dialect == SCRIPT_CSH && command->brackets))
        return; /* in csh, what is in brackets is a condition */
    if (only_assigns(command, i))
        for (; i < command->count; i++)
            add_assignment(command, &command->items[i]);
    for (size_t k = 0; k < sizeof actions / sizeof *actions && i < command->count; k++)
        if (actions[k].dialect == command->dialect &&
            word_is(&command->items[i], actions[k].name)) {
            actions[k].act(command, i + 1);
            break;
        }
    if (command->script->count == before)
        add_effect(command, EFFECT_OTHER, NULL, 0);
}
