$users[0][.user.id] as $u | if $u then .user += {full_name: $u.name, email: $u.email, office: {city: $u.office}} else . end
