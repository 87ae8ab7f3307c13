#include "cli/who.h"

#include "base/scope.h"
#include "cli/json.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

void who_add_user(struct strbuf *out, uid_t user)
{
    const struct passwd *known = getpwuid(user);

    if (known)
        strbuf_adds(out, known->pw_name);
    else
        strbuf_addf(out, "user %u", (unsigned)user);
}

void who_add_time(struct strbuf *out, time_t since)
{
    char today[32] = "", day[32] = "", text[32] = "";
    time_t now = time(NULL);
    struct tm broken;

    if (!since || !localtime_r(&now, &broken))
        return;
    strftime(today, sizeof today, "%F", &broken);
    if (!localtime_r(&since, &broken))
        return;
    strftime(day, sizeof day, "%F", &broken);
    strftime(text, sizeof text, strcmp(day, today) == 0 ? "%H:%M" : "%b %d %H:%M", &broken);
    strbuf_adds(out, text);
}

void who_add_process(struct strbuf *out, uid_t user, pid_t process, const struct proc *proc)
{
    who_add_user(out, user);
    if (proc->since) {
        strbuf_adds(out, " since ");
        who_add_time(out, proc->since);
    }
    strbuf_addf(out, ", process %d", (int)process);
    if (proc->there)
        strbuf_addf(out, ": %s", proc->command);
    else
        strbuf_adds(out, ", which has ended and left others, or cannot be seen from here");
}

void who_add_holder(struct strbuf *out, const struct lease_holder *holder)
{
    if (holder->process)
        who_add_process(out, holder->user, holder->process, &holder->proc);
    else if (holder->user != NO_USER)
        who_add_user(out, holder->user);
    else
        strbuf_adds(out, "somebody");
}

static json_t *json_who(bool known, uid_t user, pid_t process, const struct proc *proc)
{
    scope(strbuf_release) struct strbuf name = STRBUF_INIT;

    if (known)
        who_add_user(&name, user);
    if (name.failed)
        return NULL;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "user",
                     json_text(known ? strbuf_text(&name) : NULL), "user_id",
                     json_known(known, user), "process", json_known(process > 0, (uint64_t)process),
                     "since", json_known(proc->since > 0, (uint64_t)proc->since), "command",
                     json_text(proc->there ? proc->command : NULL));
}

json_t *who_json_holder(const struct lease_holder *holder)
{
    return json_who(holder->user != NO_USER, holder->user, holder->process, &holder->proc);
}

json_t *who_json_process(pid_t process)
{
    struct proc proc;

    proc_read(&proc, process);
    return json_who(proc.there, proc.user, process, &proc);
}

/* Processes that lose their parent become the child of one of these. */
static bool is_foster_parent(pid_t process)
{
    struct proc proc;

    proc_read(&proc, process);
    return process <= 1 || strstr(proc.command, "systemd --user");
}

bool who_forgot(const struct proc *proc)
{
    return proc->there && proc->user == getuid() && !proc->terminal &&
           is_foster_parent(proc->parent);
}
