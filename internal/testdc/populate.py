# Fills a newly provisioned directory, offline and in one transaction. usage: populate.py SMB.CONF SAM.LDB USERS
import sys

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

conf, sam, users = sys.argv[1], sys.argv[2], int(sys.argv[3])
lp = LoadParm()
lp.load(conf)
db = SamDB(url=sam, session_info=system_session(), lp=lp)
base = str(db.domain_dn())
offices = [("Oslo HQ", "Oslo", "Norway"), ("Lyon", "Lyon", "France"), ("Porto", "Porto", "Portugal"), ("Graz", "Graz", "Austria")]
departments = ["Finance", "Sales", "Engineering", "Support", "Legal", "Research"]


def user(i):
    return "CN=User %05d,OU=D%d,OU=Staff,%s" % (i, i % 6, base)


db.transaction_start()
for ou in ["OU=Staff", "OU=Groups", "OU=Machines", "OU=Service"] + ["OU=D%d,OU=Staff" % i for i in range(6)]:
    db.add({"dn": ou + "," + base, "objectClass": "organizationalUnit"})
for name in ["svc-leat", "svc-repl"]:
    db.newuser(name, "Secret.Leat.1", userou="OU=Service")
for i in range(users):
    office, city, country = offices[i % 4]
    entry = {
        "dn": user(i), "objectClass": "user", "sAMAccountName": "u%05d" % i, "userPrincipalName": "u%05d@lab.test" % i,
        "displayName": "User %05d" % i, "mail": "u%05d@example.com" % i, "department": departments[i % 6], "title": "Clerk",
        "company": "Lab Ltd", "employeeID": "E%05d" % i, "physicalDeliveryOfficeName": office, "l": city, "co": country,
        "userAccountControl": "544",
    }
    # A manager has at most ten people: one for all would make thousands of back links in one object.
    if i >= 10:
        entry["manager"] = user(i // 10)
    if i % 3 == 0:
        entry["proxyAddresses"] = ["SMTP:u%05d@example.com" % i, "smtp:user.%05d@example.org" % i]
    db.add(entry)
teams = []
for g in range(60):
    # Team 0 holds 1 and 2, those hold 3 to 6, and so on: a tree six deep.
    members = [user(i) for i in range(g, users, 60)]
    members += ["CN=Team %02d,OU=Groups,%s" % (c, base) for c in (2 * g + 1, 2 * g + 2) if c < 60]
    db.add({"dn": "CN=Team %02d,OU=Groups,%s" % (g, base), "objectClass": "group", "sAMAccountName": "team%02d" % g})
    teams.append(("CN=Team %02d,OU=Groups,%s" % (g, base), members))
for dn, members in teams:
    change = ldb.Message(ldb.Dn(db, dn))
    change["member"] = ldb.MessageElement(members, ldb.FLAG_MOD_ADD, "member")
    db.modify(change)
for i in range(20):
    db.add({
        "dn": "CN=WS%03d,OU=Machines,%s" % (i, base), "objectClass": "computer", "sAMAccountName": "WS%03d$" % i,
        "dNSHostName": "ws%03d.lab.test" % i, "userAccountControl": "4128", "operatingSystem": "Windows 11 Pro",
        "operatingSystemVersion": "10.0 (22631)", "managedBy": user(i), "location": offices[i % 4][0],
    })
db.transaction_commit()
