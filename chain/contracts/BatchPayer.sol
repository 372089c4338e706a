// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// Pays many recipients of one token in one transaction, out of the caller's own balance by its allowance.
///
/// - A caller pays a batch id once: the second transaction with it reverts, whatever it holds.
/// - A recipient whom the token refuses is reported by `Refused` and holds up nobody; everybody else was paid.
/// - The contract keeps nothing and has no owner: all that it may move is the caller's.
contract BatchPayer {
    /// Below this a refusal could be a lack of gas and not the token's word: then the whole transaction reverts.
    uint256 public constant GAS_PER_PAYMENT = 100_000;

    /// Whether this caller has paid this batch id.
    mapping(address => mapping(bytes32 => bool)) public paid;

    event Paid(address indexed payer, bytes32 indexed batch, uint256 payments);
    event Refused(address indexed payer, bytes32 indexed batch, uint256 index);

    error NothingToPay();
    error DifferentLengths();
    error PaidBefore();
    error NoToken();
    error TooLittleGas();

    function pay(bytes32 batch, address token, address[] calldata to, uint256[] calldata amounts) external {
        if (to.length == 0) revert NothingToPay();
        if (to.length != amounts.length) revert DifferentLengths();
        if (token.code.length == 0) revert NoToken();
        if (paid[msg.sender][batch]) revert PaidBefore();
        paid[msg.sender][batch] = true;
        for (uint256 i = 0; i < to.length; ++i) {
            if (gasleft() < GAS_PER_PAYMENT) revert TooLittleGas();
            if (!_transfer(token, to[i], amounts[i])) emit Refused(msg.sender, batch, i);
        }
        emit Paid(msg.sender, batch, to.length);
    }

    /// Tokens answer true, or nothing as Tether's does; anything else, and a revert, is a refusal.
    function _transfer(address token, address to, uint256 amount) private returns (bool) {
        (bool done, bytes memory answer) =
            token.call(abi.encodeWithSignature("transferFrom(address,address,uint256)", msg.sender, to, amount));
        return done && (answer.length == 0 || (answer.length == 32 && uint256(bytes32(answer)) == 1));
    }
}
