version=2
rule=:<%pri:number%>%time:date-rfc3164% %host:word% %program:char-to:[%[%pid:number%]: %outcome:word% %method:word% for invalid user %user:word% from %ip:ipv4% port %port:number% ssh2
rule=:<%pri:number%>%time:date-rfc3164% %host:word% %program:char-to:[%[%pid:number%]: %outcome:word% %method:word% for %user:word% from %ip:ipv4% port %port:number% ssh2
