#!/usr/bin/perl
# A customer that uses Net::SMPP. Reads a plan on stdin, carries it out, prints what came back as JSON.
#
# plan: { host, port, bind: "bind_transceiver", login: {...}, ask: [[method, params], ...], deliveries: n }
# { "hex": "..." } stands for octets; in what comes back a character is an octet.
use strict;
use warnings;
use JSON::PP;
use Net::SMPP;

my $plan = decode_json(do { local $/; <STDIN> });
my %seen = (bind => undef, answers => [], deliveries => [], unbind => undef);

my $smpp = Net::SMPP->new_connect($plan->{host}, port => $plan->{port}, timeout => 10) or die "no connection: $@";

sub octets { ref $_[0] eq 'HASH' ? pack('H*', $_[0]{hex}) : $_[0] }

# Send one request and read until its answer is there; what is delivered meanwhile is kept and acknowledged.
sub ask {
    my ($method, $params) = @_;
    my %params = map { $_ => octets($params->{$_}) } keys %$params;
    my $sequence = $smpp->$method(%params, async => 1);
    while (1) {
        my $pdu = hear();
        return {%$pdu} if $pdu->{seq} == $sequence && $pdu->{cmd} & 0x80000000;
    }
}

sub hear {
    my $pdu = $smpp->read_pdu() or die "the server hung up: ${*$smpp}{smpperror}";
    if ($pdu->{cmd} == Net::SMPP::CMD_deliver_sm) {
        push @{ $seen{deliveries} }, {%$pdu};
        $smpp->deliver_sm_resp(seq => $pdu->{seq}, message_id => '');
    }
    elsif ($pdu->{cmd} == Net::SMPP::CMD_enquire_link) {
        $smpp->enquire_link_resp(seq => $pdu->{seq});
    }
    return $pdu;
}

$seen{bind} = ask($plan->{bind}, $plan->{login});
if ($seen{bind}{status} == 0) {
    push @{ $seen{answers} }, ask(@$_) for @{ $plan->{ask} };
    hear() while @{ $seen{deliveries} } < $plan->{deliveries};
    $seen{unbind} = ask('unbind', {});
}
print JSON::PP->new->ascii->canonical->encode(\%seen), "\n";
