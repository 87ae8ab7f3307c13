#include "cli/who.h"

#include <pwd.h>
#include <string.h>

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
