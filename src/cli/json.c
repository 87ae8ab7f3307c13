#include "cli/json.h"

#include "base/scope.h"

#include <string.h>

static json_t *told; /* what the command has added; NULL: nothing yet */

static json_t *all_told(void)
{
    if (!told)
        told = json_object();
    return told;
}

void json_put(const char *key, json_t *value)
{
    if (!cli_options->json)
        json_decref(value);
    else if (json_object_set_new(all_told(), key, value) < 0)
        cli_lost();
}

void json_list(const char *key, json_t *value)
{
    if (cli_options->json && !json_object_get(all_told(), key))
        json_put(key, json_array());
    if (!cli_options->json)
        json_decref(value);
    else if (json_array_append_new(json_object_get(told, key), value) < 0)
        cli_lost();
}

json_t *json_texts(char *const *texts, size_t count)
{
    return json_list_of(i, count, json_text(texts[i]));
}

json_t *json_environment(const struct environment *environment)
{
    return json_pack("{s:o, s:o, s:b}", "name", json_text(environment->name), "prefix",
                     json_text(environment->path), "active", environment->active);
}

json_t *json_variable_row(const char *name, const char *now, const char *then)
{
    return json_pack("{s:o, s:o, s:o}", "name", json_text(name), "now", json_text(now), "then",
                     json_text(then));
}

static json_t *json_detail(const struct strbuf *detail)
{
    json_t *lines = json_array();

    for (const char *line = strbuf_text(detail); *line;) {
        size_t length = strcspn(line, "\n");
        lines = json_append(lines, json_stringn(line, length));
        line += length + (line[length] == '\n');
    }
    return lines;
}

static json_t *json_message(const struct message *message)
{
    bool placed = message->line > 0;

    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "status", (int)message->status, "file",
                     json_text(*message->file ? message->file : NULL), "line",
                     json_known(placed, message->line), "column",
                     json_known(placed, message->column), "message", json_text(message->text),
                     "details", json_detail(&message->detail));
}

static json_t *json_errors(const struct error *err)
{
    return err->no_memory ? NULL : json_list_of(i, err->count, json_message(&err->items[i]));
}

int json_finish(const struct options *options, int status, struct error *err)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    int code = status < 0 ? (int)err->status : status;
    const struct command *command = options->command;
    json_t *root =
        json_pack("{s:o, s:i, s:o, s:[]}", "command", json_text(command ? command->name : NULL),
                  "status", code, "errors", json_errors(err), "notes");
    json_t *added = all_told();

    told = NULL;
    if (!root || !added || json_object_update(root, added) < 0)
        cli_lost();
    json_decref(added);
    if (json_print(&text, root) < 0 || cli_has_lost())
        return error_memory(err);
    cli_write(&text);
    return 0;
}
