#include "hook/script.h"

#include "base/scope.h"
#include "hook/command.h"

#include <string.h>

void script_release(struct script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        free(script->items[i].name);
        free(script->items[i].text);
        word_release(&script->items[i].value);
    }
    free(script->items);
    *script = (struct script){0};
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

/* What a word at a command's beginning means for those behind it. */
enum keyword {
    GO_ON,      /* a command follows */
    GO_MAYBE,   /* one that runs sometimes */
    BEGIN,      /* a block, whose first command follows */
    BEGIN_ONLY, /* a block; what follows in this command is none */
    END,
    NOTHING, /* what follows is no command */
};

static const struct {
    enum dialect dialect;
    enum keyword keyword;
    const char *words; /* each between spaces */
} keywords[] = {
    {SCRIPT_SH, BEGIN, " if while until { "},
    {SCRIPT_SH, BEGIN_ONLY, " for case select function "},
    {SCRIPT_SH, GO_ON, " then do else elif ! time builtin command "},
    {SCRIPT_SH, END, " fi done esac } "},
    {SCRIPT_FISH, BEGIN, " if while begin "},
    {SCRIPT_FISH, BEGIN_ONLY, " for switch function "},
    {SCRIPT_FISH, GO_ON, " else not ! builtin command "},
    {SCRIPT_FISH, GO_MAYBE, " and or "},
    {SCRIPT_FISH, NOTHING, " case "},
    {SCRIPT_FISH, END, " end "},
    {SCRIPT_CSH, BEGIN_ONLY, " foreach while switch "},
    {SCRIPT_CSH, GO_ON, " else "},
    {SCRIPT_CSH, NOTHING, " case default: breaksw "},
    {SCRIPT_CSH, END, " endif end endsw "},
};

static bool find_keyword(const struct command *command, size_t i, enum keyword *keyword)
{
    const char *text = command->items[i].quoted ? NULL : word_text(&command->items[i]);
    scope(free_text) char *word = text && !strchr(text, ' ') ? format_text(" %s ", text) : NULL;

    for (size_t k = 0; word && k < sizeof keywords / sizeof *keywords; k++)
        if (keywords[k].dialect == command->dialect && strstr(keywords[k].words, word)) {
            *keyword = keywords[k].keyword;
            return true;
        }
    return false;
}

/* `else if` opens no block of its own. */
static bool opens(const struct command *command, size_t i)
{
    return !(i && word_is(&command->items[i - 1], "else"));
}

/* Past the keywords; where a command begins, or the end. */
static size_t skip_keywords(struct command *command)
{
    enum keyword keyword;
    size_t i = 0;

    for (; i < command->count && find_keyword(command, i, &keyword); i++) {
        if (keyword == BEGIN || keyword == BEGIN_ONLY)
            command->blocks += opens(command, i);
        else if (keyword == END)
            command->blocks -= command->blocks > 0;
        else if (keyword == GO_MAYBE)
            command->sometimes = true;
        if (keyword == BEGIN_ONLY || keyword == NOTHING)
            return command->count;
    }
    return i;
}

/* csh's `if (…) command` and `if (…) then`, whose brackets are commands of their own here. */
static size_t skip_csh_if(struct command *command, size_t i)
{
    bool behind = command->after_if && i == 0 && !command->brackets;

    if (i < command->count && word_is(&command->items[i], "if")) {
        command->after_if = true;
        command->if_is_block = opens(command, i);
        return command->count;
    }
    if (!behind || !command->count)
        return i;
    command->after_if = false;
    command->sometimes = true;
    if (!word_is(&command->items[0], "then"))
        return i;
    command->blocks += command->if_is_block;
    return i + 1;
}

static void run(struct command *command)
{
    size_t i = skip_keywords(command);

    if (command->dialect == SCRIPT_CSH)
        i = skip_csh_if(command, i);
    command_act(command, i);
    while (command->count)
        word_release(&command->items[--command->count]);
}

/* ---- The script ------------------------------------------------------------------------------ */

static void add_word(struct command *command, const struct words *in, struct word *word)
{
    if (!command->count) {
        command->line = in->line;
        command->from = in->token;
    }
    command->to = in->at;
    if (array_add(command, take(word)) < 0)
        command->failed = true;
}

static void take_token(struct command *command, enum token token)
{
    bool pipes = token == TOKEN_PIPE;
    bool joins = token == TOKEN_END && !command->count; /* a line that ends in && goes on */

    command->sometimes = command->sometimes || pipes;
    run(command);
    if (!joins)
        command->sometimes = pipes || token == TOKEN_IF;
    command->brackets += token == TOKEN_OPEN;
    command->brackets -= token == TOKEN_CLOSE && command->brackets;
}

int script_read(struct script *script, const char *extension, const char *text)
{
    enum dialect dialect = strcmp(extension, "fish") == 0  ? SCRIPT_FISH
                           : strcmp(extension, "csh") == 0 ? SCRIPT_CSH
                                                           : SCRIPT_SH;
    scope(words_release) struct words in = WORDS_INIT(dialect, text);
    scope(word_release) struct word word = {0};
    struct command command = {.script = script, .dialect = dialect};
    bool skips = false;
    enum token token;

    while ((token = words_next(&in, &word)) != TOKEN_NONE && !command.failed) {
        if (token == TOKEN_WORD && !skips)
            add_word(&command, &in, &word);
        else if (token != TOKEN_WORD && token != TOKEN_REDIRECT)
            take_token(&command, token);
        skips = token == TOKEN_REDIRECT;
    }
    run(&command);
    free(command.items);
    return in.failed || command.failed ? -1 : 0;
}

bool script_is_empty(const char *extension, const char *text)
{
    scope(script_release) struct script script = {0};

    return script_read(&script, extension, text) == 0 && script.count == 0;
}
