#include "cli/apply.h"

#include "base/scope.h"
#include "base/self.h"
#include "base/table.h"
#include "cli/json.h"
#include "section/files.h"

/* Somebody, and some machine. */
struct whom {
    const char *user, *host;
};

/* "user: [bob, carol]", or nothing. */
static void add_condition(struct strbuf *out, const char *key, const struct names *patterns)
{
    bool several = patterns->count > 1;

    if (!patterns->count)
        return;
    strbuf_addf(out, "%s%s: %s", out->length ? ", " : "", key, several ? "[" : "");
    for (size_t i = 0; i < patterns->count; i++)
        strbuf_addf(out, "%s%s", i ? ", " : "", patterns->items[i]);
    strbuf_adds(out, several ? "]" : "");
}

static void add_conditions(struct table *table, const struct rule *rule)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    add_condition(&text, "user", &rule->users);
    add_condition(&text, "host", &rule->hosts);
    if (!text.length)
        strbuf_adds(&text, "everybody, everywhere");
    table_cell_of(table, &text);
}

static void judge_rule(struct table *table, const struct rule *rule, const struct rule *taken,
                       const struct whom *whom)
{
    bool fits_user = rule_fits_user(rule, whom->user), fits_host = rule_fits_host(rule, whom->host);

    if (rule == taken)
        table_cellf(table, "serves %s", *whom->user ? whom->user : "this user");
    else if (fits_user && fits_host)
        table_cellf(table, "would fit, but line %zu comes first", taken->place.line);
    else if (fits_host)
        table_cellf(table, "does not fit user %s", whom->user);
    else if (fits_user)
        table_cellf(table, "does not fit host %s", whom->host);
    else
        table_cell(table, "fits neither user nor host");
}

static json_t *json_rule(const struct rule *rule, const struct rule *taken, const struct whom *whom)
{
    return json_pack("{s:I, s:o, s:o, s:b, s:b, s:b}", "line", (json_int_t)rule->place.line,
                     "users", json_texts(rule->users.items, rule->users.count), "hosts",
                     json_texts(rule->hosts.items, rule->hosts.count), "fits_user",
                     rule_fits_user(rule, whom->user), "fits_host",
                     rule_fits_host(rule, whom->host), "serves", rule == taken);
}

static void tell_rules(const struct options *options, const struct section *section,
                       const struct whom *whom)
{
    enum { CONDITION = 1, COLUMNS = 3 };
    const struct rule *taken = rules_find(section, whom->user, whom->host);
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);

    json_put("rules", json_array());
    for (size_t i = 0; i < section->rules.count; i++) {
        const struct rule *rule = &section->rules.items[i];
        table_cellf(&table, "line %zu", rule->place.line);
        add_conditions(&table, rule);
        judge_rule(&table, rule, taken, whom);
        json_list("rules", json_rule(rule, taken, whom));
    }
    table_cell(&table, "no rule");
    table_cell(&table, "the section's own keys");
    table_cell(&table, taken ? "not needed" : "serve whom no rule names");
    if (!options->json)
        cli_write_table(&table, 1u << CONDITION);
}

int apply_explain(const struct options *options, struct error *err)
{
    scope(section_release) struct section section = {0};
    scope(stock_release) struct stock stock = {0};
    scope(free_text) char *user = self_user(options->env);

    if (!user)
        return error_memory(err);
    if (files_read(&section, options->file, options->timeout, err) < 0)
        return -1;
    if (options->inventory && apply_read_stock(&stock, options, err) < 0)
        return -1;
    if (options->inventory && options->host && !stock_find(&stock, options->host))
        return error_add(err, STATUS_INPUT, "%s has no machine of the name '%s'",
                         apply_stock_name(options), options->host);
    const struct whom whom = {options->user ? options->user : user,
                              options->host ? options->host : self_host()};
    apply_json_source(&section);
    json_put("user", json_text(whom.user));
    json_put("host", json_text(whom.host));
    cli_print("%s: for user %s%s on %s%s", section.file, *whom.user ? whom.user : "without a name",
              options->user ? "" : " (you)", whom.host, options->host ? "" : " (this machine)");
    tell_rules(options, &section, &whom);
    return STATUS_DONE;
}
