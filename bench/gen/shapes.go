package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func ip(r *rand.Rand) string {
	return fmt.Sprintf("10.%d.%d.%d", r.IntN(200), r.IntN(256), r.IntN(256))
}

func uuid(r *rand.Rand) string {
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.IntN(65536), r.IntN(4096), r.IntN(4096), r.Int64N(1<<48))
}

func agent(r *rand.Rand) string {
	return pick(r, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
		"aws-cli/2.31.4 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0-1039-aws md/arch#x86_64 lang/python#3.13.7",
		"Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.19231; Pro)")
}

func operation(r *rand.Rand) string {
	return pick(r, "UserLoggedIn", "UserLoginFailed", "FileAccessed", "FileDownloaded", "MailItemsAccessed", "New-InboxRule", "AssumeRole", "GetObject")
}

// audit is one record of an office suite's audit log, 879 bytes on average: a flat head, nested parameters, lists of objects, an
// escaped slash, numbers and booleans, and a time in seconds with a fraction.
func audit(b []byte, r *rand.Rand, _ int, at time.Time) []byte {
	id := uuid(r)
	b = fmt.Appendf(b, `{"ts":%d.%03d,"Id":%q,"RecordType":%d,"Operation":%q,"OrganizationId":"5f1e0b4c-8a0b-4a7e-9d0b-1f0d6a1c2b3e"`,
		at.Unix(), at.Nanosecond()/1e6, id, r.IntN(60), operation(r))
	b = fmt.Appendf(b, `,"UserType":0,"Version":1,"Workload":%q,"UserId":"u%06d","userIP":%q,"userPort":%d,"ResultStatus":%q,"hostName":"ws-%05d.corp.example","UserAgent":%q`,
		pick(r, "AzureActiveDirectory", "SharePoint", "Exchange", "OneDrive"), r.IntN(usersSeen), ip(r), 1024+r.IntN(60000), pick(r, "Success", "Failed"), r.IntN(20000), agent(r))
	b = fmt.Appendf(b, `,"requestParameters":{"bucketName":"payroll-%d","key":"hr\/2026\/%05d.xlsx","roleArn":"arn:aws:iam::123456789012:role\/svc-%d","durationSeconds":3600}`,
		r.IntN(40), r.IntN(99999), r.IntN(90))
	b = append(b, `,"ExtendedProperties":[{"Name":"ResultStatusDetail","Value":"Redirect"},{"Name":"RequestType","Value":"OAuth2:Authorize"}]`...)
	return fmt.Appendf(b, `,"Target":[{"ID":"00000002-0000-0000-c000-000000000000","Type":0}],"ErrorNumber":"%d","InterSystemsId":%q,"IsCompliant":%v}`,
		r.IntN(2)*50126, id, r.IntN(2) == 0)
}

// sshd is one RFC 3164 line of OpenSSH's server, 121 bytes on average.
func sshd(b []byte, r *rand.Rand, _ int, at time.Time) []byte {
	what := pick(r, "Failed password for invalid user", "Failed password for", "Accepted publickey for", "Accepted password for")
	return fmt.Appendf(b, "<38>%s ws-%05d.corp.example sshd[%d]: %s u%06d from %s port %d ssh2",
		at.Format("Jan _2 15:04:05"), r.IntN(20000), 1000+r.IntN(60000), what, r.IntN(usersSeen), ip(r), 1024+r.IntN(60000))
}

// fortigate is one traffic line of a FortiGate, key=value with quotes, 489 bytes on average.
func fortigate(b []byte, r *rand.Rand, _ int, at time.Time) []byte {
	b = fmt.Appendf(b, `date=%s time=%s devname="FGT-BUD-01" devid="FG100F1234567890" eventtime=%d tz="+0000" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root"`,
		at.Format("2006-01-02"), at.Format("15:04:05"), at.UnixNano())
	b = fmt.Appendf(b, ` srcip=%s srcport=%d srcintf="port%d" srcintfrole="lan" dstip=172.16.%d.%d dstport=443 dstintf="wan1" dstintfrole="wan" policyid=%d proto=6 action=%q`,
		ip(r), 1024+r.IntN(60000), r.IntN(8), r.IntN(256), r.IntN(256), r.IntN(300), pick(r, "accept", "deny", "close"))
	return fmt.Appendf(b, ` service="HTTPS" user="u%06d" sentbyte=%d rcvdbyte=%d sentpkt=%d rcvdpkt=%d appcat="unscanned" sessionid=%d`,
		r.IntN(usersSeen), r.IntN(1e6), r.IntN(1e7), r.IntN(900), r.IntN(9000), r.IntN(1e9))
}

// cef is one line of a firewall in the Common Event Format, 356 bytes on average: values with spaces, and an escaped equals sign.
func cef(b []byte, r *rand.Rand, _ int, at time.Time) []byte {
	act := pick(r, "accept", "drop", "reject")
	b = fmt.Appendf(b, `CEF:0|Check Point|VPN-1 & FireWall-1|R81|%s|Traffic %s|5|rt=%d src=%s spt=%d dst=172.16.%d.%d dpt=443 proto=tcp act=%s suser=u%06d shost=ws-%05d.corp.example`,
		act, act, at.UnixMilli(), ip(r), 1024+r.IntN(60000), r.IntN(256), r.IntN(256), act, r.IntN(usersSeen), r.IntN(20000))
	return fmt.Appendf(b, ` in=%d out=%d app=https cs1Label=Rule cs1=Allow outbound web cs2Label=Policy cs2=corp\=std deviceExternalId=FG100F123 msg=Connection %s by policy rule`,
		r.IntN(1e6), r.IntN(1e6), act)
}

// ecs is one normal event, as stands between normalize and enrich, 651 bytes on average.
func ecs(b []byte, r *rand.Rand, _ int, at time.Time) []byte {
	b = fmt.Appendf(b, `{"@timestamp":"%s","event":{"id":"%016x%016x","kind":"event","dataset":"o365.audit","module":"o365","action":%q,"outcome":%q}`,
		at.Format("2006-01-02T15:04:05.000Z"), r.Uint64(), r.Uint64(), operation(r), pick(r, "success", "failure"))
	b = fmt.Appendf(b, `,"user":{"id":"u%06d"},"source":{"ip":%q,"port":%d},"host":{"name":"ws-%05d.corp.example"},"user_agent":{"original":%q}`,
		r.IntN(usersSeen), ip(r), 1024+r.IntN(60000), r.IntN(20000), agent(r))
	return fmt.Appendf(b, `,"ecs":{"version":"9.5.0"},"observer":{"vendor":"Microsoft"},"o365":{"audit":{"OrganizationId":"5f1e0b4c-8a0b-4a7e-9d0b-1f0d6a1c2b3e","Workload":"SharePoint","requestParameters":{"bucketName":"payroll-%d","durationSeconds":3600}}}}`,
		r.IntN(40))
}

// cloudtrail is one record of AWS CloudTrail, as it is in a trail's file, a record a line.
func cloudtrail(b []byte, r *rand.Rand, _ int, at time.Time) []byte {
	user := r.IntN(usersSeen)
	b = fmt.Appendf(b, `{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROA%012d:u%06d","arn":"arn:aws:sts::123456789012:assumed-role/ops/u%06d","accountId":"123456789012","accessKeyId":"ASIA%012d"`,
		r.Int64N(1e12), user, user, r.Int64N(1e12))
	b = fmt.Appendf(b, `,"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA0123456789012345","arn":"arn:aws:iam::123456789012:role/ops","accountId":"123456789012","userName":"ops"},"webIdFederationData":{},"attributes":{"creationDate":"%s","mfaAuthenticated":"true"}}}`,
		at.Format(time.RFC3339))
	b = fmt.Appendf(b, `,"eventTime":"%s","eventSource":%q,"eventName":%q,"awsRegion":%q,"sourceIPAddress":%q,"userAgent":%q`,
		at.Format(time.RFC3339), pick(r, "s3.amazonaws.com", "iam.amazonaws.com", "sts.amazonaws.com"),
		pick(r, "GetObject", "PutObject", "AssumeRole", "ListUsers", "ConsoleLogin"), pick(r, "eu-west-1", "us-east-1"), ip(r), agent(r))
	b = fmt.Appendf(b, `,"requestParameters":{"bucketName":"payroll-%d","key":"hr/2026/%05d.xlsx","durationSeconds":3600},"responseElements":null,"requestID":%q,"eventID":%q,"readOnly":%v`,
		r.IntN(40), r.IntN(99999), uuid(r), uuid(r), r.IntN(2) == 0)
	return append(b, `,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"s3.eu-west-1.amazonaws.com"}}`...)
}

// person is what the directory says of user i.
func person(i int) (id, name, email, office string) {
	offices := []string{"Budapest", "Dublin", "New York", "Singapore", "London", "Berlin"}
	return fmt.Sprintf("u%06d", i), fmt.Sprintf("First%d Last%d", i%977, i), fmt.Sprintf("first%d.last%d@corp.example", i%977, i), offices[i%len(offices)]
}

// user is a row of the directory as CSV; row 0 is its header.
func user(b []byte, _ *rand.Rand, i int, _ time.Time) []byte {
	if i == 0 {
		return append(b, "id,name,email,office"...)
	}
	id, name, email, office := person(i - 1)
	return fmt.Appendf(b, "%s,%s,%s,%s", id, name, email, office)
}

// userJSON is a line of the same directory as one JSON object by id: what programs without tables can read.
func userJSON(b []byte, _ *rand.Rand, i int, _ time.Time) []byte {
	if i == 0 {
		return append(b, '{')
	}
	end := ","
	if i == users {
		end = "}"
	}
	id, name, email, office := person(i - 1)
	return fmt.Appendf(b, "%q:{\"name\":%q,\"email\":%q,\"office\":%q}%s", id, name, email, office, end)
}
